"""Which places of a wave are written together, and which one after the other; and the same backwards."""

import json
from collections.abc import Iterable, Iterator

from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.places import CLUSTER, whole
from orchestrator.rollout.resources.resource import NamespaceRollout
from orchestrator.rollout.state import State


def turns(places: Iterable[str]) -> list[list[str]]:
    """Places in the order in which they are written; those of one turn together.

    The cluster stands by itself, since the order of it and of the namespaces matters; so does a place that comes again.
    """
    found: list[list[str]] = []
    for place in places:
        mine, last = whole(place), [whole(p) for p in found[-1]] if found else []
        if not last or mine in last or CLUSTER in (mine, *last):
            found.append([])
        found[-1].append(place)
    return found


def due(state: State, wave: int) -> list[NamespaceRollout]:
    """What of a wave is to be written now."""
    for turn in turns(state.wave_places(wave)):
        if pending := [item for item in state.known(turn) if item.status.phase == "Pending"]:
            return pending
    return []


def back(state: State) -> Iterator[list[NamespaceRollout]]:
    """What is rolled back together: wave by wave, the last first."""
    status = state.rollout.status
    for wave in reversed(range(status.waves_started)):
        if status.led_by(wave) == wave:
            yield from (state.known(turn) for turn in reversed(turns(state.wave_places(wave))))


def by_place(state: State) -> list[list[NamespaceRollout]]:
    """The records of each place that was opened, whichever waves they are of: the first first."""
    return _grouped(state.known(state.touched()))


def by_record(state: State) -> list[list[NamespaceRollout]]:
    """The same of each place that is recorded, whether it was opened or not."""
    return _grouped(state.known(state.rollout.spec.places))


def stood(items: Iterable[NamespaceRollout]) -> dict[objects.Key, objects.Manifest | None]:
    """Each object that one of a place's records changes, as it stood before any of them; None where it did not. The first first.

    What an earlier one leaves as it is stands only in the later one that changes it.
    """
    found: dict[objects.Key, objects.Manifest | None] = {}
    for item in items:
        before, after = ends(item)
        found = {**{key: before.get(key) for key in (*before, *after)}, **found}
    return found


def ends(
    item: NamespaceRollout,
) -> tuple[dict[objects.Key, objects.Manifest], dict[objects.Key, objects.Manifest]]:
    """What a record says stands before and after it."""
    spec = item.spec
    return objects.by_key(map(json.loads, spec.before)), objects.by_key(map(json.loads, spec.after))


def _grouped(items: Iterable[NamespaceRollout]) -> list[list[NamespaceRollout]]:
    found: dict[str, list[NamespaceRollout]] = {}
    for item in items:
        found.setdefault(item.spec.namespace, []).append(item)
    return list(found.values())


def unreached(state: State, item: NamespaceRollout) -> bool:
    """Whether nothing of it can have been written, since what comes before it in its place was not."""
    earlier = (i for i in state.known(state.touched()) if i.spec.namespace == item.spec.namespace)
    return any(i.status.phase == "Pending" for i in earlier if i.spec.wave < item.spec.wave)
