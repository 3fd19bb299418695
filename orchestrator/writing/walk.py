"""The states that a namespace goes through, one after each write: how they are frozen, and where it stands on them.

Frozen when the walk begins, for they follow from the policies of others as well: what somebody else creates, changes or
deletes meanwhile must not make a half-way state unknown.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from orchestrator.context import POLICY
from orchestrator.policy.schemas.schema import with_defaults
from orchestrator.policy.writes.bridges import bridge_tag
from orchestrator.rollout.order.write_path import Objects as Objects
from orchestrator.rollout.order.write_path import path as path
from orchestrator.rollout.order.write_path import tag as tag
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.model import MOST_WRITES
from orchestrator.rollout.resources.objects import Key, Manifest
from orchestrator.rollout.resources.weight import weight

MOST_BYTES = 400 * 1024  # beside `before` and `after`, in an object that holds 1.5 MiB


def plain(obj: Manifest) -> str:
    """One text for one meaning, defaults filled in."""
    return objects.canonical(with_defaults(obj) if POLICY.means(obj) else obj)


def equal(left: Mapping[Key, Manifest], right: Mapping[Key, Manifest]) -> bool:
    """Whether two states are the same."""
    return left.keys() == right.keys() and all(plain(left[k]) == plain(right[k]) for k in left)


def place(live: Objects, states: Sequence[Objects]) -> int | None:
    """Which of the states stands: exactly, or but for its bridges, which are nobody's but ours."""
    for number, state in enumerate(states):
        if equal(live, state):
            return number
    mine, bridges = _apart(live)
    near = [n for n, state in enumerate(states) if equal(mine, _apart(state)[0])]
    return min(near, key=lambda n: len(bridges.keys() ^ _apart(states[n])[1].keys()), default=None)


def _apart(state: Objects) -> tuple[Objects, Objects]:
    """The objects of a revision, and the bridges."""
    bridges = {k: o for k, o in state.items() if bridge_tag(o)}
    return {k: o for k, o in state.items() if k not in bridges}, bridges


def half(live: Objects, before: Objects, after: Objects) -> bool:
    """Whether a walk was begun by what stands: a bridge, or an object as only `after` has it."""
    return bool(_apart(live)[1]) or any(
        k in live and plain(live[k]) == plain(o) and (k not in before or plain(before[k]) != plain(o))
        for k, o in after.items()
    )


def encoded(states: Sequence[Objects], before: Objects, after: Objects) -> list[str]:
    """The writes that lead from `before` through all states; empty where they are more than one object can hold."""
    found: list[str] = []
    for previous, state in pairwise(states):
        for key in sorted({*previous, *state}):
            if previous.get(key) is not state.get(key):
                found.append(_text(key, state.get(key), before, after))
    fits = len(found) <= MOST_WRITES and weight(found) <= MOST_BYTES
    return found if fits and equal(states[0], before) else []


def _text(key: Key, obj: Manifest | None, before: Objects, after: Objects) -> str:
    write: dict[str, Any] = {"delete": list(key)}
    if obj is not None:
        same = next((n for n, end in (("before", before), ("after", after)) if end.get(key) is obj), "")
        write = {same: list(key)} if same else {"put": objects.bare(obj)}
    return json.dumps(write, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def decoded(texts: Sequence[str], before: Objects, after: Objects) -> list[Objects]:
    """The frozen states; none where they cannot be read, or would write what is neither of the change nor a bridge."""
    states = [dict(before)]
    try:
        for text in texts:
            [(verb, given)] = json.loads(text).items()
            ends = {"delete": {}, "put": {}, "before": before, "after": after}[verb]
            key = objects.key(given) if verb == "put" else _key(given)
            if key not in before and key not in after and not bridge_tag(_named(key)):
                return []
            state = dict(states[-1])
            if verb == "delete":
                state.pop(key, None)
            else:
                state[key] = given if verb == "put" else ends[key]
            states.append(state)
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    return states


def _key(given: Sequence[str]) -> Key:
    api_version, kind, name = given
    return str(api_version), str(kind), str(name)


def _named(key: Key) -> Manifest:
    return {"apiVersion": key[0], "kind": key[1], "metadata": {"name": key[2]}}
