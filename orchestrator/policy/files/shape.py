"""What every object from a file must be before anything else reads it: what the API server can keep, with sane metadata."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from orchestrator.policy.files.nearest import likely

MOST_NAME = 253
MOST_SHOWN = 80
_OF_OBJECTS = frozenset({"apiVersion", "kind", "metadata", "spec", "status", "data"})
_OF_METADATA = frozenset({"name", "namespace", "labels", "annotations", "generateName"})


def shown(value: Any) -> str:
    """A value from a file as a message may hold it: one line, short."""
    text = str(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    if len(text) > MOST_SHOWN:
        text = f"{text[:MOST_SHOWN]}… ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _unkeepable(value: Any, path: str = "") -> Iterator[str]:
    """What the API server could not keep of a value of YAML, as `path: why`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _text(key, path or "the object")
            yield from _unkeepable(item, f"{path}.{shown(key)}" if path else shown(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unkeepable(item, f"{path}[{number}]")
    elif isinstance(value, str):
        yield from _text(value, path)


def _text(value: str, path: str) -> Iterator[str]:
    if "\0" in value:
        yield f"{path}: holds a NUL character"
    elif not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        yield f"{path}: holds half a character (a lone surrogate)"


def misshapen(obj: dict[str, Any], plain: bool = False) -> Iterator[str]:
    """What no Kubernetes object of whatever kind may be, as `path: why`; the missing first. `plain` text is all ASCII."""
    for field in ("apiVersion", "kind"):
        if not isinstance(obj.get(field), str):
            absent = f"{field} is missing{_meant(field, obj.keys() - _OF_OBJECTS)}"
            yield absent if obj.get(field) is None else f"{field}: must be text"
        elif not 0 < len(obj[field]) <= MOST_NAME or not _word(obj[field]):
            yield f'{field}: "{shown(obj[field])}" is none that Kubernetes has'
    metadata = obj.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        yield "metadata: must be a mapping"
        return
    name = (metadata or {}).get("name")
    if name is None or name == "":
        meant = _meant("name", metadata.keys() - _OF_METADATA, "metadata.") if metadata else ""
        yield f"metadata.name is missing{meant or _meant('metadata', obj.keys() - _OF_OBJECTS)}"
    elif not isinstance(name, str):
        yield "metadata.name: must be text: put it in quotes"
    elif len(name) > MOST_NAME or "/" in name or not _word(name):
        yield f'metadata.name: "{shown(name)}" is no name that the API server takes'
    yield from _metadata(metadata or {})
    if not plain:
        yield from _unkeepable(obj)


def _meant(field: str, others: Iterable[object], within: str = "") -> str:
    """The end of a sentence about a missing field, which may stand there misspelt."""
    found = likely(field, (shown(name) for name in others))
    return f', did you mean it by "{within}{found}"?' if found else ""


@lru_cache(4096)
def _word(text: str) -> bool:
    return text.isprintable() and " " not in text  # the one white space that is printable


def _metadata(metadata: dict[str, Any]) -> Iterator[str]:
    space = metadata.get("namespace")
    if space is not None and not isinstance(space, str):
        yield "metadata.namespace: must be text: put it in quotes"
    elif space and (len(space) > 63 or "/" in space or not _word(space)):
        yield f'metadata.namespace: "{shown(space)}" is no name of a namespace'
    for part in ("labels", "annotations"):
        found = metadata.get(part)
        if found is not None and not isinstance(found, dict):
            yield f"metadata.{part}: must be a mapping of text to text"
            continue
        for key, value in (found or {}).items():
            if not isinstance(value, str):
                yield f"metadata.{part}.{shown(key)}: must be text: put the value in quotes"
