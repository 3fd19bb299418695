"""Calico policies of one tier and order, of which their names say which comes first: a part has another name than the whole.

Up to 3.31 `NAME--part` comes directly after NAME; from 3.32 on it comes before NAME, and before names that begin with `NAME-` or
`NAME.`, which stand before NAME, too. No name keeps the place among those in both.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import Any, NamedTuple

from orchestrator.policy.evaluate.calico.calico_policies import of_pods
from orchestrator.policy.evaluate.calico.calico_tiers import place_of
from orchestrator.policy.evaluate.calico.calico_world import is_calico
from orchestrator.policy.objects.directions import Direction

Manifest = dict[str, Any]
Part = tuple[Manifest, Manifest]  # as it stands, and the whole that it is of


def moved(parts: Sequence[Part], beside: Sequence[Manifest]) -> tuple[Manifest, Manifest] | None:
    """A policy of which some part comes before or after another one otherwise than the whole does, and that other one.

    All of them hold for some pods together. None where it makes no difference.
    """
    places: dict[tuple[str, float], list[_Entry]] = {}
    for part, whole in [*parts, *((obj, obj) for obj in beside)]:
        if _asked(part):
            place = place_of(whole)
            entry = _Entry(whole, place_of(part).names, place.names)
            places.setdefault(place[:2], []).append(entry)
    for alike in places.values():
        if any(is_calico(e.whole) for e in alike) and not _ordered(alike):
            for one, other in permutations(alike, 2):
                if one.passed(other) and _disagree(one.whole, other.whole):
                    return one.whole, other.whole
    return None


class _Entry(NamedTuple):
    """A policy, or a part of one: how Calico compares its name from 3.32 on, and up to 3.31, and that of the whole."""

    whole: Manifest
    names: tuple[str, str]
    of_whole: tuple[str, str]

    def passed(self, other: "_Entry") -> bool:
        """Whether it is renamed, and comes before or after another one otherwise than the whole."""
        if self.names == self.of_whole or self.whole is other.whole:
            return False
        return any(
            (self.names[way] < other.names[way]) is not (self.of_whole[way] < other.of_whole[way])
            for way in range(2)
        )


def _ordered(alike: Sequence[_Entry]) -> bool:
    """Whether all of them stand in the order of the wholes."""
    for way in range(2):
        found = [name for _, name in sorted((e.of_whole[way], e.names[way]) for e in alike)]
        if found != sorted(found):
            return False
    return True


def _asked(obj: Manifest) -> bool:
    """Whether Calico asks a policy about pods in an order by names."""
    return of_pods(obj) if is_calico(obj) else obj["kind"] == "NetworkPolicy"


def _disagree(one: Manifest, other: Manifest) -> bool:
    """Whether two policies can be about one pod, and their rules of a direction do not all say the same."""
    spaces = {space for obj in (one, other) if (space := obj["metadata"].get("namespace"))}
    return len(spaces) < 2 and any(
        all(actions := [_actions(obj, side) for obj in (one, other)]) and len(set().union(*actions)) > 1
        for side in Direction
    )


def _actions(obj: Manifest, side: Direction) -> set[str]:
    rules = (obj.get("spec") or {}).get(side.part) or ()
    return {rule["action"] if is_calico(obj) else "Allow" for rule in rules} - {"Log"}
