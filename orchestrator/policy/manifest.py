"""YAML to manifests that know their file and line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.errors import BadInput

MOST_BYTES = 1024 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """One object and where it begins."""

    obj: dict[str, Any]
    path: str
    line: int


def parse(text: bytes, path: str) -> list[Document]:
    """The objects of a file. Raises BadInput with `path:line`; aliases are refused (no bomb can hide)."""
    if len(text) > MOST_BYTES:
        raise BadInput(f"the file is larger than {MOST_BYTES // 1024} KiB", path, "split it")
    found: list[Document] = []
    loader = _LOADER(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            line = node.start_mark.line + 1
            _unique(node, path, set())
            obj = loader.construct_document(node)
            if obj is not None:
                found += _objects(obj, path, line)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        raise BadInput(f"not YAML: {getattr(error, 'problem', None) or error}", where) from None
    finally:
        loader.dispose()
    return found


def _unique(node: yaml.Node, path: str, seen: set[int]) -> None:
    where = f"{path}:{node.start_mark.line + 1}"
    if id(node) in seen and not isinstance(node, yaml.ScalarNode):
        raise BadInput("YAML anchors and aliases are not taken", where, "write it out")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if str(key.value) in keys:
                raise BadInput(f"the key {key.value} stands twice", f"{path}:{key.start_mark.line + 1}")
            keys.add(str(key.value))
            _unique(value, path, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _unique(item, path, seen)


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
    for name in ("apiVersion", "kind"):
        if not isinstance(obj.get(name), str):
            raise BadInput(f"{name} is missing", where)
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise BadInput("metadata.name is missing", where)
    return [Document(obj, path, line)]
