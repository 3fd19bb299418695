"""From files to the objects that each namespace should hold.

A folder named after a namespace holds its objects; an object may carry its own metadata.namespace;
one without either is shared: it goes into every namespace that the source selects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.manifest import Document, parse

ENDINGS = (".yaml", ".yml", ".json")
TESTS = "PolicyTest"  # stands beside the policies, and is applied nowhere


@dataclass(frozen=True)
class Placed:
    """An object in a namespace, and where it comes from."""

    obj: dict[str, Any]
    file: str
    line: int


def arrange(
    files: Mapping[str, bytes],
    namespaces: Mapping[str, Mapping[str, str]],
    kinds: Sequence[tuple[str, str]],
) -> dict[str, list[Placed]]:
    """The desired objects of each selected namespace. Raises BadInput with file and line."""
    documents = [d for path in sorted(files) if path.endswith(ENDINGS) for d in parse(files[path], path)]
    documents = [d for d in documents if d.obj["kind"] != TESTS]
    if not documents:
        raise BadInput(
            "there is no policy in the source's path", hint="commit a manifest there, or mend git.path"
        )
    found: dict[str, list[Placed]] = {name: [] for name in namespaces}
    seen: dict[tuple[str, str, str, str], str] = {}
    for document in documents:
        where = f"{document.path}:{document.line}"
        obj = document.obj
        if (obj["apiVersion"], obj["kind"]) not in kinds:
            allowed = ", ".join(kind for _, kind in kinds)
            raise BadInput(f"{obj['kind']} is not a kind that this source may write ({allowed})", where)
        for name in _targets(document, namespaces, where):
            identity = (name, obj["apiVersion"], obj["kind"], obj["metadata"]["name"])
            if identity in seen:
                text = f"{obj['kind']}/{obj['metadata']['name']} stands twice for namespace {name}"
                raise BadInput(text, where, f"the other one is at {seen[identity]}")
            seen[identity] = where
            found[name].append(Placed(obj, document.path, document.line))
    return found


def _targets(document: Document, namespaces: Mapping[str, Mapping[str, str]], where: str) -> list[str]:
    folder = document.path.split("/", 1)[0] if "/" in document.path else ""
    own = str(document.obj["metadata"].get("namespace") or "")
    if own and folder in namespaces and own != folder:
        raise BadInput(f"the object names namespace {own} in the folder of {folder}", where)
    name = own or (folder if folder in namespaces else "")
    if own and own not in namespaces:
        raise BadInput(f"namespace {own} is outside the source, or does not exist", where)
    return [name] if name else sorted(namespaces)
