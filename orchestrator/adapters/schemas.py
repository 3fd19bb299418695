"""Manifests against the OpenAPI schemas of a Kubernetes version, offline and strictly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.errors import BadInput
from orchestrator.policy.lint import RULES, Finding
from orchestrator.policy.manifest import Document

MOST_MESSAGE = 300


def findings(documents: Iterable[Document], version: str = "") -> Iterator[Finding]:
    """What a server of this version (such as `1.34`; empty is the newest known) would not take.

    Kinds that Kubernetes does not bring are skipped, and NetworkPolicies, which have a check of their own.
    Raises BadInput for a version that is not known.
    """
    import kubernetes_validate as schemas
    from kubernetes_validate.utils import VersionNotSupportedError

    wanted = version or schemas.latest_version()
    for document in documents:
        obj = document.obj
        if obj["kind"] == "NetworkPolicy":
            continue
        try:
            schemas.validate(obj, wanted, strict=True)
        except schemas.SchemaNotFoundError:
            continue
        except (VersionNotSupportedError, IndexError):
            raise BadInput(f"there are no schemas of Kubernetes {version}", hint="such as 1.34") from None
        except schemas.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            place = f"{path}: " if path else ""
            space = obj["metadata"].get("namespace")
            subject = f"{obj['kind']} {f'{space}/' if space else ''}{obj['metadata']['name']}"
            message = f"{place}{error.message[:MOST_MESSAGE]} (Kubernetes {wanted})"
            yield Finding(RULES["NPC013"], subject, message, document.where)
