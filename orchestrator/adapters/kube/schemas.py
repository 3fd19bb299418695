"""Manifests against the OpenAPI schemas of a Kubernetes version, offline and strictly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.lint.linter import RULES, Finding

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST_MESSAGE = 300
MOST_KINDS = 200  # whose schemas are kept
_NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_DOMAIN = re.compile(r"^([^./]*)(?:\.[^/]*)?/")  # rbac.authorization.k8s.io/v1 is rbac-v1 there


def findings(documents: Iterable[Document], version: str = "") -> Iterator[Finding]:
    """What a server of this version (such as `1.34`; empty is the newest known) would not take.

    Kinds that Kubernetes does not bring are skipped, and NetworkPolicies, which have a check of their own.
    Raises BadInput for a version that is not known.
    """
    wanted, folder = _version(version)
    for document in documents:
        obj = document.obj
        if obj["kind"] == "NetworkPolicy":
            continue
        validator = _validator(folder, obj["kind"], obj["apiVersion"])
        error = next(validator.iter_errors(obj), None) if validator is not None else None
        if error is not None:
            path = ".".join(str(part) for part in error.path)
            place = f"{path}: " if path else ""
            space = obj["metadata"].get("namespace")
            subject = f"{obj['kind']} {f'{space}/' if space else ''}{obj['metadata']['name']}"
            message = f"{place}{error.message[:MOST_MESSAGE]} (Kubernetes {wanted})"
            yield Finding(RULES["NPC013"], subject, message, document.where)


def _version(version: str) -> tuple[str, str]:
    """As people say it, and the folder of the schemas: the newest that are not newer. Raises BadInput."""
    from kubernetes_validate import utils

    known = utils.all_versions()
    wanted = version or known[-1]
    with suppress(ValueError):
        number = _number(wanted.removeprefix("v"))
        found = [v for v in known if _number(v) <= number]
        if found and number <= _number(known[-1]):
            return wanted, f"kubernetes-json-schema/v{found[-1]}-local-strict"
    raise BadInput(f"there are no schemas of Kubernetes {version}", hint="such as 1.34")


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


@lru_cache(maxsize=MOST_KINDS)
def _validator(folder: str, kind: str, version: str) -> Validator | None:
    """Of a kind; None where Kubernetes does not bring it."""
    from jsonschema.validators import Draft202012Validator
    from kubernetes_validate.utils import schema_contents
    from referencing import Registry, Resource

    short = _DOMAIN.sub(r"\1-", version)
    if not _NAME.fullmatch(f"{kind}-{short}"):
        return None
    try:
        schema = schema_contents(f"{folder}/{kind.lower()}-{short}.json", "")
    except OSError:
        return None
    known: Registry[Any] = Resource.from_contents(schema) @ (_definitions(folder) @ Registry())
    return Draft202012Validator(schema, registry=known)


@lru_cache(maxsize=2)
def _definitions(folder: str) -> Any:
    from kubernetes_validate.utils import schema_contents
    from referencing import Resource

    return Resource.from_contents(schema_contents(f"{folder}/_definitions.json", ""))
