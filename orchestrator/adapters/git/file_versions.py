"""What policies say in the versions of files, for comparison alone: of a document that many versions share, read once."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from orchestrator.policy.files.manifest import MOST_BYTES, parse_sound
from orchestrator.policy.files.yaml_text import MOST_DOCUMENTS
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.fleet import SHARED

MOST_READ = 32 * 1024 * 1024  # bytes of all documents that differ; of what comes later nothing is known
_LEAST = 256  # bytes as which a document counts
_REFUSED = (
    MOST_BYTES // 2
)  # and one that cannot be read, with anchors: they are written out until there are too many
_BEGINS = re.compile(rb"^---(?=\s)", re.MULTILINE)
_ANCHOR, _ALIAS = (re.compile(rb"(?:^|[\s\[{,:])" + mark + rb"\S") for mark in (b"&", rb"\*"))


class Said(NamedTuple):
    """A policy by digests: what it says in all, what apart from its rules, and each of these."""

    namespace: str
    whole: bytes
    rest: bytes
    rules: dict[str, tuple[bytes, ...]]


Policies = dict[tuple[str, str], list[Said]]


@dataclass(frozen=True)
class Asked:
    """A policy as it is named, in a file below `top`: one that says no namespace has that of its folder, or none in particular."""

    kind: str
    namespace: str
    name: str
    file: str
    top: str

    def among(self, policies: Policies, file: str) -> Said | None:
        """The one that is meant, of a version of a file; None where there is none, or where there are several."""
        named = policies.get((self.kind, self.name), ())
        found = [s for s in named if s.namespace == self.namespace and s.namespace]
        folder = self._folder(file)
        if not found and (folder == self._folder(self.file) or folder == self.namespace != ""):
            found = [s for s in named if not s.namespace]
        return found[0] if len(found) == 1 else None

    def _folder(self, file: str) -> str:
        first, slash, _ = file.removeprefix(self.top).partition("/")
        return first if slash and first in (self.namespace, SHARED) else ""


@dataclass
class Versions:
    """The policies of each text, by kind and name."""

    _known: dict[bytes, Policies] = field(default_factory=dict)
    _left: int = field(default_factory=lambda: MOST_READ)

    def policies(self, text: bytes, file: str) -> Policies | None:
        """Those that can be read; None where the documents that differ are together too large by now."""
        found: Policies = {}
        for part in _documents(text) if len(text) <= MOST_BYTES else ():
            digest = hashlib.sha256(part).digest()
            if digest not in self._known:
                if self._left < len(part):
                    return None
                self._known[digest], size = _read(part, file)
                self._left -= max(len(part), size, _LEAST)
            for key, said in self._known[digest].items():
                found.setdefault(key, []).extend(said)
        return found


def _documents(text: bytes) -> Iterator[bytes]:
    """The text in parts that can be read alone: wherever a line begins so, YAML begins a document."""
    begun = [match.start() for match in _BEGINS.finditer(text)]
    if b"\0" in text or len(begun) > MOST_DOCUMENTS or _has_anchors(text):
        begun = []  # UTF-16, or what is bounded for a file as a whole
    return (text[first:last] for first, last in pairwise([0, *begun, len(text)]))


def _has_anchors(text: bytes) -> bool:
    return bool(_ANCHOR.search(text) and _ALIAS.search(text))


def _read(text: bytes, file: str) -> tuple[Policies, int]:
    """The policies, and as how many bytes they count where anchors are written out."""
    found: Policies = {}
    sound, wrong = parse_sound(text, file)
    size = 0
    if _has_anchors(text):
        size = sum(len(json.dumps(d.obj)) for d in sound) + (_REFUSED if wrong else 0)
    for document in sound:
        obj = document.obj
        if obj["kind"].endswith("NetworkPolicy"):
            found.setdefault((obj["kind"], obj["metadata"]["name"]), []).append(_said(obj))
    return found, size


def _said(obj: dict[str, Any]) -> Said:
    given = obj.get("spec")
    spec = given if isinstance(given, dict) else {}
    parts = {side.part: spec.get(side.part) for side in Direction}
    rest = {k: v for k, v in spec.items() if k not in parts}
    rules = {k: tuple(map(_digest, v)) if isinstance(v, list) else () for k, v in parts.items()}
    return Said(str(obj["metadata"].get("namespace") or ""), _digest(spec), _digest(rest), rules)


def _digest(value: Any) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()[:16]
