"""Bring a namespace's objects from `before` to `after` or back, in the safe order, from where they stand.

The order is a list of states, one after each write, and is frozen before the first of them. Where a crash left the
namespace in one of them, the walk goes on from there, forwards or backwards: every state on the way is a safe one in both
directions. From anywhere else there is a way back to `before`, frozen as well.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import structlog

from orchestrator.context import POLICY, Context
from orchestrator.errors import ApiError, NotFound, RetryLater
from orchestrator.policy.writes.bridges import BRIDGE_LABEL as BRIDGE_LABEL
from orchestrator.policy.writes.bridges import bridge_number, bridge_tag, labelled
from orchestrator.policy.writes.write_order import INERT
from orchestrator.ports import Kind
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Key, Manifest, owner
from orchestrator.rollout.resources.places import space
from orchestrator.wording import few
from orchestrator.writing.frozen_walk import Frozen
from orchestrator.writing.stray_bridges import abandoned
from orchestrator.writing.walk import Objects, decoded, encoded, equal, half, place
from orchestrator.writing.walk import path as path
from orchestrator.writing.walk import plain as _plain
from orchestrator.writing.walk import tag as tag

FENCED = "netpol-canary.dev/fenced"  # an annotation that stands for the moment between two writes
MOST_LEFT = 128  # bridges of one rollout in a namespace, beyond which no more are made on the way back
HELD_SECONDS = 1.0  # until it is looked again whether somebody has let go


class Drift(RetryLater):
    """What stands in the namespace is neither the frozen `before` nor on the way to `after`."""


class Held(RetryLater):
    """An object of ours is being deleted, and somebody's finalizer keeps it."""


def standing(ctx: Context, namespace: str, kinds: Sequence[Kind]) -> Objects:
    """The live objects of some kinds in a namespace."""
    return {objects.key(o): o for kind in kinds for o in ctx.cluster.list(kind, space(namespace))}


def _put(
    ctx: Context, live: Manifest | None, wanted: Manifest | None, key: Key, namespace: str
) -> Manifest | None:
    """One write; returns the object as it stands after it."""
    ctx.fence()
    try:
        if wanted is None:
            if live is not None:
                meta = live["metadata"]
                kind, uid, version = Kind(key[0], key[1]), meta["uid"], meta["resourceVersion"]
                ctx.cluster.delete(kind, key[2], space(namespace), uid=uid, resource_version=version)
            return None
        body = objects.bare(wanted)
        body["metadata"] |= {"namespace": namespace} if space(namespace) else {}
        if live is None:
            return ctx.cluster.create(body)
        body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        return ctx.cluster.replace(body)
    except ApiError:
        raise
    except BaseException:  # no answer, or an interrupt before it came: it may land yet
        ctx.tenure.doubt(ctx.clock)
        raise


def _walk(ctx: Context, namespace: str, live: Objects, states: Sequence[Objects], made: Objects) -> set[Key]:
    """Write from state to state; `live` holds the objects as read, with their resourceVersions. What was written."""
    done: set[Key] = set()
    for previous, state in pairwise(states):
        for key in sorted({*previous, *state}, key=lambda k: (k not in state, k)):
            if previous.get(key) is state.get(key):
                continue
            stood = live.pop(key, None)
            written = _put(ctx, stood, state.get(key), key, namespace)
            done.add(key)
            mine = stood is None or made.pop(key, None) is not None
            if written is not None:
                live[key] = written
                made |= {key: written} if mine else {}
    return done


def converge(
    ctx: Context,
    namespace: str,
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    rollout: str,
    *,
    forward: bool,
    frozen: Frozen | None = None,
    late: bool = False,
) -> int:
    """Bring the namespace to `after`, or back to `before`; returns the number of states walked.

    Raises Drift (forward only) where something else stands there; what was half written is back at `before` then.
    Backwards nothing stops it: what was changed by others on these very objects in the meantime goes back to `before`
    as well, but for one that somebody made under a name that `before` does not hold: it stays. Raises Held where all is done but for an object that somebody keeps. With `late`, objects that need no write
    are written all the same, so that what a former worker has under way is refused.
    """
    first, last = objects.by_key(before), objects.by_key(after)
    frozen = frozen or Frozen()
    kinds = sorted({*([POLICY] if space(namespace) else []), *(Kind(*k[:2]) for k in {*first, *last})})
    everything = standing(ctx, namespace, kinds)
    live = {k: o for k, o in everything.items() if _ours(k, o, first, last, rollout)}
    if not forward:
        live = _left_alone(namespace, live, first, last)
    others = {k: o for k, o in everything.items() if k not in live}
    held = {k: o for k, o in live.items() if o["metadata"].get("deletionTimestamp")}
    aim = last if forward else first
    scene = _Scene(ctx, namespace, rollout, live, first, last, others, frozen, held)
    try:
        states = scene.forward() if forward else scene.back()
        kept = [k for k in live if k not in aim and live[k]["metadata"].get("finalizers")]
        done = _walk(ctx, namespace, scene.live, states, frozen.made)
        _cleared(ctx, namespace, others, rollout)
        if late:
            _fence_off(ctx, namespace, scene.live, {*first} - done - {*held})
        _inert(ctx, namespace, held, None if forward else first)
    except NotFound:
        raise RetryLater(f"{namespace}: an object went away while it was written", 0) from None
    if held or kept:
        raise Held(_holders(namespace, {**held, **{k: live[k] for k in kept if k in live}}), HELD_SECONDS)
    return len(states) - 1


def _ours(key: Key, obj: Manifest, first: Objects, last: Objects, rollout: str) -> bool:
    """Of the change, or a bridge of this rollout: by its name, whatever its labels; by its label, if that names it."""
    mine = (tag(rollout), tag(rollout + "-back"))
    return key in first or key in last or bridge_tag(obj) in mine or labelled(obj) in mine


def _taken(key: Key, obj: Manifest, first: Objects, last: Objects) -> bool:
    """Whether somebody else made an object under a name that only `after` holds: it lacks the label that ours carries."""
    mine = owner(last[key]) if key in last and key not in first else ""
    return bool(mine) and owner(obj) != mine


def _left_alone(namespace: str, live: Objects, first: Objects, last: Objects) -> Objects:
    """Without what is somebody else's, which is named in the log."""
    taken = sorted(k for k, o in live.items() if _taken(k, o, first, last))
    for key in taken:
        structlog.get_logger().warning(
            "not ours: it is left", namespace=namespace, object=f"{key[1]}/{key[2]}"
        )
    return _without(taken, live)


def _without(held: Collection[Key], some: Objects) -> Objects:
    return {k: o for k, o in some.items() if k not in held}


@dataclass
class _Scene:
    """One namespace as it stands, and its ends; what is held by somebody else counts among the others."""

    ctx: Context
    namespace: str
    rollout: str
    live: Objects
    first: Objects
    last: Objects
    others: Objects
    frozen: Frozen
    held: Objects

    def __post_init__(self) -> None:
        walk = decoded(self.frozen.texts, self.first, self.last)
        self.walk = [_without(self.held, state) for state in walk]
        self.others = {**self.others, **self.held}
        self.live, self.first, self.last = (
            _without(self.held, some) for some in (self.live, self.first, self.last)
        )

    def forward(self) -> list[Objects]:
        """The states from what stands to `after`."""
        states = self._known()
        at = place(self.live, states)
        if at is None or not equal(states[-1], self.last):
            raise Drift(self._drifted(at is not None), 0)
        if at + 1 < len(states):
            self._freeze(states)
        return self._onto(states[at:])

    def back(self) -> list[Objects]:
        """The states from what stands to `before`."""
        states = self._known()
        at = place(self.live, states)
        if at is None:
            states = self._from_anywhere()
            at = len(states) - 1
        if at:
            self._freeze(states)
        return self._onto(states[: at + 1][::-1])

    def _known(self) -> list[Objects]:
        """The frozen walk, or that of now: where none was frozen, where nothing of it stands, and where it begins anew."""
        known = self.walk
        fresh = path(self.namespace, self.first, self.last, self.others, self.rollout)
        if len(known) < 2 or equal(self.live, self.first) or place(self.live, known) is None:
            return fresh
        return known

    def _from_anywhere(self) -> list[Objects]:
        """The states from `before` to what stands, which is none of the known ones; bridges that stand go first, so last."""
        bridges = {k: o for k, o in self.live.items() if k not in self.first and k not in self.last}
        right = {
            k: self.first[k]
            for k, o in self.live.items()
            if k in self.first and _plain(self.first[k]) == _plain(o)
        }
        changed, aim = _without(right, {k: o for k, o in self.live.items() if k not in bridges}), self.first
        number = 1 + max((bridge_number(o) for o in bridges.values()), default=-1)
        around = {**self.others, **bridges, **right}
        if len(bridges) > MOST_LEFT:  # enough of them stand: what they open stays open until the end
            walk = [changed, _without(right, aim)]
        else:
            walk = path(self.namespace, changed, _without(right, aim), around, self.rollout, number)
        return [aim, *({**s, **right, **bridges} for s in walk[::-1])]

    def _freeze(self, states: Sequence[Objects]) -> None:
        """Before the first write of a walk that leads through anything but its ends."""
        if len(states) < 3 or self.held:
            return
        texts = encoded(states, self.first, self.last)
        if texts and texts != list(self.frozen.texts):
            self.frozen.keep(texts)

    def _onto(self, states: list[Objects]) -> list[Objects]:
        """The same, from what stands: bridges that somebody deleted or changed are set right in a first step."""
        start = {
            k: states[0][k] if k in states[0] and _plain(states[0][k]) == _plain(o) else o
            for k, o in self.live.items()
        }
        return states if start.keys() == states[0].keys() and equal(start, states[0]) else [start, *states]

    def _drifted(self, back: bool) -> str:
        """What to say; a half-written namespace does not stay as it is, with bridges in it."""
        text = f"{self.namespace}: the policies differ from what the plan was made from"
        if not back and not half(self.live, self.first, self.last):
            return text
        mine = _left_alone(self.namespace, self.live, self.first, self.last)
        self.others |= {k: o for k, o in self.live.items() if k not in mine}
        self.live = mine
        _walk(self.ctx, self.namespace, self.live, self.back(), self.frozen.made)
        return f"{self.namespace}: somebody changed the policies while they were written; they are back as they were before"


def _cleared(ctx: Context, namespace: str, others: Objects, rollout: str) -> None:
    """Delete what another rollout left half-way and nobody takes back any more: the namespace is at an end of this one."""
    bridges = {
        str(o["metadata"]["name"]): (k, o)
        for k, o in others.items()
        if bridge_tag(o) and not o["metadata"].get("deletionTimestamp")
    }
    for obj in abandoned(ctx, [o for _, o in bridges.values()], rollout):
        key, live = bridges[obj["metadata"]["name"]]
        _put(ctx, live, None, key, namespace)
        structlog.get_logger().warning(
            "a bridge of a rollout that has ended was deleted",
            namespace=namespace,
            object=f"{key[1]}/{key[2]}",
        )


def _fence_off(ctx: Context, namespace: str, live: Objects, keys: Collection[Key]) -> None:
    """Two writes that leave an object as it is, and let no request that was made of it before land any more."""
    for key in sorted(k for k in keys if k in live):
        wanted = objects.bare(live[key])
        notes = {**(wanted["metadata"].get("annotations") or {}), FENCED: "true"}
        marked = {**wanted, "metadata": {**wanted["metadata"], "annotations": notes}}
        between = _put(ctx, live[key], marked, key, namespace)
        written = _put(ctx, between, wanted, key, namespace)
        if written is not None:
            live[key] = written


def _inert(ctx: Context, namespace: str, held: Objects, aim: Objects | None) -> None:
    """What somebody keeps of ours selects no pod any more, as if it were gone; of `aim`, on the way back, all but these."""
    for key, obj in sorted(held.items()):
        going = bool(bridge_tag(obj)) or (aim is not None and key not in aim)
        if key[:2] == tuple(POLICY) and going and obj["spec"] != INERT:
            _put(ctx, obj, {**obj, "spec": INERT}, key, namespace)


def _holders(namespace: str, held: Objects) -> str:
    """One line: which objects, and who keeps them."""
    named = []
    for key, obj in sorted(held.items()):
        by = ", ".join(str(f) for f in obj["metadata"].get("finalizers") or []) or "nobody who says so"
        named.append(f"{key[1]}/{key[2]} (finalizer {by})")
    return f"{namespace}: {few(named, 3)} is being deleted and does not go: whoever set the finalizer has to let go of it"
