"""A person's decision on a wave, whichever way it is taken: what is sensible, and the RolloutApproval of it."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from orchestrator.context import Context
from orchestrator.errors import BadInput, Refused
from orchestrator.rollout.gates.approvals import GateState, created, gates
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import Approval, load, new

MOST_GROUPS = 64
MOST_COMMENT = 1024
ASKS_WHY = frozenset({"medium", "high"})  # risks whose approval takes a reason


@dataclass(frozen=True)
class Decision:
    """Yes or no to one wave; to the one that waits where `wave` is None."""

    decision: Literal["approve", "reject"] = "approve"
    comment: str = ""
    wave: int | None = None
    break_glass: bool = False


@dataclass(frozen=True)
class Decided:
    """What came of it: by whom, on which wave, and how its gates stand now. `again` where it had been said before."""

    user: str
    wave: int
    gates: tuple[GateState, ...]
    again: bool = False


def decide(ctx: Context, state: State, what: Decision) -> Decided:
    """Record it in the name of whoever calls. BadInput for what cannot be recorded, Refused for what would not count."""
    fitting(what.comment)
    if what.break_glass and not what.comment.strip():
        raise BadInput("breaking the glass takes a reason", hint="say why")
    risk = state.rollout.spec.risk
    if what.decision == "approve" and risk in ASKS_WHY and not what.comment.strip():
        raise BadInput(f"{state.rollout.name} has {risk} risk: approving it takes a reason", hint="say why")
    wave = _wave(state, what)
    wanted = frozenset(g for gate in state.rollout.spec.strategy.gates for g in gate.groups)
    spec = spoken(ctx, state, wave, wanted, what.decision, what.comment, what.break_glass)
    obj, user = manifest(ctx, state, spec), spec.user
    now = ctx.clock.now()
    alone = gates(state.rollout, wave, (as_if(obj, state, now),), now)
    _counting(alone, user)
    stands = gates(state.rollout, wave, state.approvals, now)
    if what.decision == "approve" and _said(stands, alone, user):
        return Decided(user, wave, stands, again=True)
    made: Approval = load(ctx.cluster.create(obj))
    return Decided(user, wave, gates(state.rollout, wave, (*state.approvals, made), now))


def fitting(comment: str) -> None:
    """Raises BadInput where an approval cannot hold a comment."""
    if len(comment) > MOST_COMMENT:
        raise BadInput(f"the comment is longer than {MOST_COMMENT} characters", hint="shorten it")


def _wave(state: State, what: Decision) -> int:
    """Raises Refused where the wave has no gate that is still ahead."""
    rollout, status = state.rollout, state.rollout.status
    waits = f" ({status.paused_for})" if status.paused_for else ""
    if status.phase in TERMINAL or status.phase == "RollingBack":
        raise Refused(f"{rollout.name} is {status.phase} and waits for no approval")
    if what.wave is None and (status.phase, status.paused_for) != ("Paused", "approval"):
        hint = "--wave N decides on a later wave"
        raise Refused(f"{rollout.name} is {status.phase}{waits} and waits for no approval; {hint}")
    wave = status.wave if what.wave is None else what.wave
    if not 0 <= wave < len(rollout.spec.waves):
        last = len(rollout.spec.waves) - 1
        raise BadInput(f"{rollout.name} has no wave {wave}", hint=f"its waves are 0 to {last}")
    if wave < status.waves_started:
        text = f"wave {wave} of {rollout.name} is open already"
        raise Refused(f"{text}; `netpol-canary abort {rollout.name}` rolls everything back")
    if all(g.wave != wave for g in rollout.spec.strategy.gates):
        raise Refused(f"wave {wave} of {rollout.name} has no gate; `netpol-canary abort` stops a rollout")
    return wave


def spoken(
    ctx: Context,
    state: State,
    wave: int,
    wanted: Collection[str],
    decision: Literal["approve", "reject", "emergency"],
    comment: str,
    break_glass: bool = False,
) -> m.RolloutApprovalSpec:
    """What whoever calls says, in their name and with their groups, the `wanted` ones first."""
    user, groups = ctx.cluster.user()
    return m.RolloutApprovalSpec(
        rollout=state.rollout.name,
        wave=wave,
        plan_digest=state.rollout.spec.plan_digest,
        user=user,
        groups=sorted(groups, key=lambda g: g not in wanted)[:MOST_GROUPS],
        decision=decision,
        comment=comment,
        break_glass=break_glass,
    )


def manifest(ctx: Context, state: State, spec: m.RolloutApprovalSpec) -> dict[str, Any]:
    """The RolloutApproval of what somebody says of a rollout; it goes when the rollout goes."""
    rollout = state.rollout
    name = f"{rollout.name[:200]}-{spec.wave}-{uuid.uuid4().hex[:8]}"
    labels = {SOURCE_LABEL: rollout.spec.source}
    return new("RolloutApproval", name, ctx.namespace, spec, labels=labels, owner=rollout)


def as_if(obj: dict[str, Any], state: State, now: datetime) -> Approval:
    """The approval as it will be read; this machine's clock may be behind the API server's."""
    at = max(now, created(state.rollout.manifest) or now)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return load({**obj, "metadata": {**obj["metadata"], "creationTimestamp": stamp}})


def _counting(alone: tuple[GateState, ...], user: str) -> None:
    """Raises Refused where no gate would count the decision by itself, and says why."""
    if alone and all(g.ignored for g in alone):
        whys = dict.fromkeys(v.why for g in alone for v in g.ignored)
        raise Refused(f"an approval by {user} does not count: {user} {'; '.join(whys)}")


def _said(stands: tuple[GateState, ...], alone: tuple[GateState, ...], user: str) -> bool:
    """Whether this person's word counts already at every gate that would count it; gates differ in when it expires."""

    def counts(gate: GateState, broken: bool) -> bool:
        if broken:
            return gate.broken is not None and gate.broken.user == user
        return any(v.user == user for v in gate.given)

    pairs = zip(stands, alone, strict=True)
    return all(counts(gate, new.broken is not None) for gate, new in pairs if not new.ignored)
