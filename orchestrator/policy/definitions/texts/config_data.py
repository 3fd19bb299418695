"""What ConfigMaps hold as text, where in its file each key of it stands, and what of it is no text."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.needed import Note, space_of
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.files.manifest import Document
from orchestrator.wording import few

MOST_LISTED = 5
Key = tuple[str, str]  # namespace and name


class ConfigMaps:
    """The ConfigMaps of some documents."""

    def __init__(self, documents: Sequence[Document], places: Places) -> None:
        self._documents = {
            (space_of(d.obj), str(d.obj["metadata"]["name"])): d
            for d in documents
            if d.obj["kind"] == "ConfigMap"
        }
        self._places = places
        self._decoded: dict[Key, dict[str, str]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    def data(self, key: Key) -> Mapping[str, Any]:
        """What variables may be taken from; nothing of one that is not here."""
        return self._part(key, "data")

    def files(self, key: Key) -> Mapping[str, Any]:
        """What a volume of it holds: `data`, and what of `binaryData` is text."""
        if key not in self._decoded:
            texts = {str(k): _text(v) for k, v in self._part(key, "binaryData").items()}
            self._decoded[key] = {k: v for k, v in texts.items() if v is not None}
        return {**self._decoded[key], **self.data(key)}

    def unread(self, key: Key) -> Iterator[Note]:
        """The keys of a volume of it that are no text."""
        known = self.files(key)
        left = [str(k) for k in self._part(key, "binaryData") if str(k) not in known]
        if left:
            text = f"ConfigMap {'/'.join(key)} in {self._documents[key].where}: {few(left, MOST_LISTED)} of its binaryData is no text"
            yield Note(f"{text}, and is not read", "nothing is opened for what it may name")

    def stands(self, key: Key, entry: str) -> str:
        """`file:line` of one of its keys."""
        return self._places.entry(
            self._documents[key].where, f"ConfigMap {'/'.join(key)}", ("data", "binaryData"), entry
        )

    def _part(self, key: Key, part: str) -> Mapping[str, Any]:
        document = self._documents.get(key)
        return (document.obj.get(part) or {}) if document is not None else {}


def _text(given: Any) -> str | None:
    """What base64 stands for; None where it is none, or no text."""
    try:
        found = base64.b64decode("".join(str(given).split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return None if "\0" in found else found
