"""Whether a policy from a file may be worked with: its shape as the API has it, and no more in it than is bearable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.limits import too_much
from orchestrator.policy.objects.schema import problems
from orchestrator.policy.objects.tier_schema import tier_problems

TIERED = "policy.networking.k8s.io/v1alpha2"


def objections(obj: Mapping[str, Any]) -> Iterator[str]:
    """As `path: why`; nothing for kinds whose shape is not known here, but for what is too much of everything."""
    plain = {k: v for k, v in obj.items() if k != "status"}  # exports of older clusters carry one
    tiered = (obj["apiVersion"], obj["kind"]) == (TIERED, "ClusterNetworkPolicy")
    yield from chain(problems(plain), tier_problems(plain) if tiered else ())
    yield from too_much(obj)


def accepted(document: Document) -> Document:
    """The document as it is. Raises BadInput with file and line where it is misshapen."""
    wrong = next(objections(document.obj), "")
    if wrong:
        obj = document.obj
        text = f"{obj['kind']} {obj['metadata']['name']} is not valid: {wrong}"
        raise BadInput(text, document.where, "correct the manifest")
    return document
