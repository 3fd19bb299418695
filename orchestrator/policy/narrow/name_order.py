"""Calico policies of one tier and order, of which their names say which comes first: a part has another name than the whole.

Up to 3.31 `NAME--part` comes directly after NAME; from 3.32 on it comes before NAME, and before names that begin with `NAME-` or
`NAME.`, which stand before NAME, too. No name keeps the place among those in both.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

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
    asked = [part for part in parts if _asked(part[0])]
    others = [*asked, *((obj, obj) for obj in beside if _asked(obj))]
    if not any(is_calico(obj) for obj, _ in others):
        return None
    for (part, whole), (other, its) in product(asked, others):
        renamed = part["metadata"]["name"] != whole["metadata"]["name"] and whole is not its
        if renamed and _disagree(whole, its) and _before(part, other) != _before(whole, its):
            return whole, its
    return None


def _asked(obj: Manifest) -> bool:
    """Whether Calico asks a policy about pods in an order by names."""
    return of_pods(obj) if is_calico(obj) else obj["kind"] == "NetworkPolicy"


def _before(one: Manifest, other: Manifest) -> list[bool]:
    """Whether the one has the lesser name, as Calico compares from 3.32 on and up to 3.31."""
    return [mine < theirs for mine, theirs in zip(place_of(one).names, place_of(other).names, strict=True)]


def _disagree(one: Manifest, other: Manifest) -> bool:
    """Whether names decide between two policies, and their rules of a direction do not all say the same."""
    spaces = {space for obj in (one, other) if (space := obj["metadata"].get("namespace"))}
    if place_of(one)[:2] != place_of(other)[:2] or len(spaces) > 1:
        return False
    return any(
        all(actions := [_actions(obj, side) for obj in (one, other)]) and len(set().union(*actions)) > 1
        for side in Direction
    )


def _actions(obj: Manifest, side: Direction) -> set[str]:
    rules = (obj.get("spec") or {}).get(side.part) or ()
    return {rule["action"] if is_calico(obj) else "Allow" for rule in rules} - {"Log"}
