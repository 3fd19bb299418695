"""Priorities for CNIs that want one for each AdminNetworkPolicy: parts of one policy take those that are free beside its own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.policy.files.doubles import title
from orchestrator.policy.narrow.part_names import NARROWED_FROM, name_of, sorted_by_name
from orchestrator.policy.narrow.scoped_pods import refusal

Manifest = dict[str, Any]


def apart(objects: Sequence[Manifest], beside: Iterable[Manifest], most: int) -> list[Manifest]:
    """Objects of a split with a priority of its own, up to `most`, for each of them.

    All keep their places among one another and those `beside`, which do not move. What is above `most` is left as it is: nobody
    asks it. Raises Unnarrowable where no priority is free.
    """
    groups: dict[int, list[Manifest]] = {}
    for obj in sorted_by_name(obj for obj in objects if _asked(obj, most)):
        groups.setdefault(_priority(obj), []).append(obj)
    fixed = {_priority(obj): obj for obj in beside if _asked(obj, most)}
    for priority, (first, *others) in groups.items():
        strange = [obj for obj in others if _whole(obj) != _whole(first)]
        for other in (*strange, *(fixed[p] for p in (priority,) if p in fixed)):
            raise refusal(first, f"its priority {priority} is that of {title(other)}, too")
    given = _given(groups, fixed, most)
    return [_at(obj, given[name_of(obj)]) if _asked(obj, most) else obj for obj in objects]


def _given(groups: Mapping[int, Sequence[Manifest]], fixed: Iterable[int], most: int) -> Mapping[str, int]:
    """A priority for each by its name: the first one of a group keeps its own, the others take what is free next to it."""
    found: dict[str, int] = {}
    taken = -1  # the highest so far
    bounds = [-1, *sorted({*fixed, *groups}), most + 1]
    for before, here, after in zip(bounds, bounds[1:], bounds[2:], strict=False):
        taken = max(taken, before)
        members = groups.get(here, ())
        free = [*range(here - 1, taken, -1), *range(here + 1, after)]
        if len(members) > len(free) + 1:
            near = f"{len(free)} free beside its {here}, which no other policy comes between"
            raise refusal(
                members[0], f"its parts need {len(members) - 1} more priorities, and there are {near}"
            )
        for obj, priority in zip(members, [here, *free], strict=False):
            found[name_of(obj)] = priority
            taken = max(taken, priority)
    return found


def _asked(obj: Manifest, most: int) -> bool:
    return obj["kind"] == "AdminNetworkPolicy" and _priority(obj) <= most


def _whole(obj: Manifest) -> str:
    """The name of the policy that an object is, or is a part of."""
    return str((obj["metadata"].get("annotations") or {}).get(NARROWED_FROM, name_of(obj)))


def _priority(obj: Manifest) -> int:
    return int(obj["spec"]["priority"])


def _at(obj: Manifest, priority: int) -> Manifest:
    return obj if _priority(obj) == priority else {**obj, "spec": {**obj["spec"], "priority": priority}}
