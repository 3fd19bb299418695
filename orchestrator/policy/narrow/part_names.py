"""The names of narrowed objects: such as people understand, directly after the name of the one that they are parts of."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from orchestrator.policy.narrow.scoped_pods import refusal
from orchestrator.policy.schemas.policy_kinds import kind_of

Manifest = dict[str, Any]
NARROWED_FROM = (
    "netpol-canary.dev/narrowed-from"  # an annotation: the name of the policy that an object is a part of
)
_LONGEST = 253  # characters, of a name in any of the APIs
_ONLY = "BaselineAdminNetworkPolicy"  # there can be one alone
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # says the name of the whole


class PartNames:
    """Gives each part a name that no other object of its kind has, nor any of those that are split."""

    def __init__(self, objects: Iterable[Manifest]) -> None:
        """`objects` are those that are split, and all that stand beside them."""
        self._taken: dict[tuple[str, str], set[str]] = {}
        for obj in objects:
            self._taken.setdefault(kind_of(obj), set()).add(name_of(obj))
        self._given: set[tuple[str, ...]] = set()

    def outside(self, obj: Manifest, parts: Sequence[Manifest]) -> Iterator[Manifest]:
        """Parts of an old object: the first one has its name."""
        for number, part in enumerate(parts, 1):
            yield self._named(obj, part, name_of(obj) if number == 1 else self._free(obj, "rest", number))

    def inside(self, obj: Manifest, parts: Sequence[Manifest]) -> Iterator[Manifest]:
        """Parts of a new object, which has its own name only where it is whole and no old one has that."""
        for part in parts:
            whole = part is obj and key_of(obj) not in self._given
            yield self._named(obj, part, name_of(obj) if whole else self._free(obj, "canary"))

    def _free(self, obj: Manifest, word: str, first: int = 1) -> str:
        """The first of `NAME--word`, `NAME--word-2` and so on, from a number on, that is not taken."""
        taken = self._taken[kind_of(obj)]
        ends = (f"--{word}" if number == 1 else f"--{word}-{number}" for number in count(first))
        found = next(
            name for end in ends if (name := f"{_cut(name_of(obj), _LONGEST - len(end))}{end}") not in taken
        )
        taken.add(found)
        return found

    def _named(self, obj: Manifest, part: Manifest, name: str) -> Manifest:
        meta, own = obj["metadata"], name_of(obj)
        self._given.add((*kind_of(obj), name))
        if name == own and part is obj:
            return obj
        notes = dict(meta.get("annotations") or {})
        if name != own:
            if obj["kind"] == _ONLY:
                raise refusal(obj, "there can be one alone, which cannot hold old and new rules")
            notes.pop(_LAST_APPLIED, None)
            meta = {"name": name, **{k: meta[k] for k in ("namespace", "labels") if meta.get(k)}}
        body = {k: v for k, v in part.items() if k != "status"}
        return {**body, "metadata": {**meta, "annotations": {**notes, NARROWED_FROM: own}}}


def sorted_by_name(objects: Iterable[Manifest]) -> list[Manifest]:
    """By API group, kind and name."""
    return sorted(objects, key=key_of)


def key_of(obj: Manifest) -> tuple[str, str, str]:
    """What tells an object from others of its place: API group, kind and name."""
    return *kind_of(obj), name_of(obj)


def name_of(obj: Manifest) -> str:
    """Its name."""
    return str(obj["metadata"]["name"])


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: most - len(digest) - 1].rstrip('-.')}-{digest}"
