"""The names of narrowed objects: such as people understand, directly after the name of the one that they are parts of."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from orchestrator.policy.narrow.scoped_pods import refusal
from orchestrator.policy.schemas.policy_kinds import group_of

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
        self._own = {_key(obj) for obj in objects}
        self._given: set[tuple[str, ...]] = set()

    def outside(self, obj: Manifest, parts: Sequence[Manifest]) -> Iterator[Manifest]:
        """Parts of an old object: the first one has its name."""
        for number, part in enumerate(parts, 1):
            name = obj["metadata"]["name"] if number == 1 else self._free(obj, "rest", number)
            yield self._named(obj, part, name)

    def inside(self, obj: Manifest, parts: Sequence[Manifest]) -> Iterator[Manifest]:
        """Parts of a new object, which has its own name only where it is whole and no old one has that."""
        for part in parts:
            whole = part is obj and _key(obj) not in self._given
            yield self._named(obj, part, obj["metadata"]["name"] if whole else self._free(obj, "canary"))

    def _free(self, obj: Manifest, word: str, first: int = 1) -> str:
        *place, name = _key(obj)
        return _free(name, word, first, {last for *where, last in self._own | self._given if where == place})

    def _named(self, obj: Manifest, part: Manifest, name: str) -> Manifest:
        meta, own = obj["metadata"], obj["metadata"]["name"]
        self._given.add((*_key(obj)[:-1], name))
        if name == own and part is obj:
            return obj
        notes = dict(meta.get("annotations") or {})
        if name != own:
            if obj["kind"] == _ONLY:
                raise refusal(obj, "there can be one alone, which cannot hold old and new rules")
            notes.pop(_LAST_APPLIED, None)
            meta = {"name": name, **{k: meta[k] for k in ("namespace", "labels") if meta.get(k)}}
        return {**part, "metadata": {**meta, "annotations": {**notes, NARROWED_FROM: own}}}


def sorted_by_name(objects: Iterable[Manifest]) -> list[Manifest]:
    """By API group, kind and name."""
    return sorted(objects, key=_key)


def _key(obj: Manifest) -> tuple[str, ...]:
    return group_of(str(obj["apiVersion"])), str(obj["kind"]), str(obj["metadata"]["name"])


def _free(name: str, word: str, first: int, taken: Collection[str]) -> str:
    """The first of `NAME--word`, `NAME--word-2` and so on, from a number on, that is not taken; too long a name is cut."""
    for number in count(first):
        end = f"--{word}" if number == 1 else f"--{word}-{number}"
        if (found := f"{_cut(name, _LONGEST - len(end))}{end}") not in taken:
            return found
    raise AssertionError("there is always another number")


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: most - len(digest) - 1].rstrip('-.')}-{digest}"
