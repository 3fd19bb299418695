"""YAML to manifests that know their file and line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.shape import misshapen
from orchestrator.policy.yamltext import documents

MOST_BYTES = 1024 * 1024
MOST_OBJECTS = 5_000
_LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Document:
    """One object and where it begins."""

    obj: dict[str, Any]
    path: str
    line: int


def parse(text: bytes, path: str) -> list[Document]:
    """The objects of a file. Raises BadInput with `path:line`; anchors are written out within bounds."""
    if len(text) > MOST_BYTES:
        raise BadInput(f"the file is larger than {MOST_BYTES // 1024} KiB", path, "split it")
    if text.startswith(_LFS):
        raise BadInput(
            "this is a pointer of Git LFS, not the manifest itself", path, "take manifests out of Git LFS"
        )
    found: list[Document] = []
    for document in documents(text, path):
        if document.value is not None:
            found += _objects(document.value, path, document.line)
        if len(found) > MOST_OBJECTS:
            raise BadInput(f"there are more than {MOST_OBJECTS} objects", path, "split the file")
    return found


def parse_sound(text: bytes, path: str) -> tuple[list[Document], list[BadInput]]:
    """The objects of a file that can be read, and what is wrong with the others: one of them hides no other.

    After a place that is no YAML nothing more of the file is read.
    """
    found: list[Document] = []
    wrong: list[BadInput] = []
    try:
        return parse(text, path), wrong
    except BadInput as error:
        if len(text) > MOST_BYTES or text.startswith(_LFS):
            return found, [error]
    try:
        for document in documents(text, path):
            try:
                found += _objects(document.value, path, document.line) if document.value is not None else []
            except BadInput as error:
                wrong.append(error)
            if len(found) + len(wrong) > MOST_OBJECTS:
                raise BadInput(f"there are more than {MOST_OBJECTS} objects", path, "split the file")
    except BadInput as error:
        wrong.append(error)
    return found, wrong


def _objects(obj: Any, path: str, line: int) -> list[Document]:
    where = f"{path}:{line}"
    if not isinstance(obj, dict):
        raise BadInput("a Kubernetes object is a mapping", where)
    kind = obj.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(obj.get("items"), list):
        own = (
            {"apiVersion": obj.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
        )
        items = [{**own, **item} if isinstance(item, dict) else item for item in obj["items"]]
        return [d for item in items for d in _objects(item, path, line)]
    wrong = next(misshapen(obj), "")
    if wrong:
        raise BadInput(wrong, where, "correct the manifest")
    return [Document(obj, path, line)]
