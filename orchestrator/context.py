"""What every step works with: the ports, the state as read, and the one way to change a phase."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orchestrator.adapters.kube.canary_deployments import followed
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.ports import (
    Clock,
    Cluster,
    Kind,
    Manifest,
    MetricSource,
    Notifier,
    PolicyRepository,
    Prober,
)
from orchestrator.rollout.gates.opening import before_wave
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.outbox import only_sent, posted, rebased
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built, sentence
from orchestrator.rollout.resources.conditions import put, reasoned
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL
from orchestrator.rollout.resources.places import CLUSTER
from orchestrator.rollout.resources.resource import Approval, Freeze, Resource, Rollout, Source, load
from orchestrator.sighted_claims import Claims
from orchestrator.tenure import Tenure

SOURCE, ROLLOUT, NAMESPACE_ROLLOUT, ANALYSIS, APPROVAL, FREEZE = (Kind(m.API_VERSION, k) for k in KINDS)
NAMESPACE = Kind("v1", "Namespace")
POD = Kind("v1", "Pod")
POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")
FINALIZER = "netpol-canary.dev/unrestored"
LOUD = frozenset({"BreakGlass", "Emergency", "ApprovalsUnproven"})  # a Warning, whatever the phase
SWAPS = 3  # tries of a compare-and-swap that only the outbox stood in the way of

T = TypeVar("T")
R = TypeVar("R")


def serial(work: Callable[[T], R], items: Iterable[T], workers: int) -> list[R]:
    """One after the other; the engine brings threads."""
    return [work(item) for item in items]


def open_fence() -> None:
    """For a worker that is alone."""


class Capacity:
    """How much may be on its way at once; this one has no limit."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held while a wave opens, so that no two take the same capacity."""
        yield

    def lacking(self, rollout: Rollout, more: int = 0) -> str:
        """What the rollout's next wave, and so many namespaces more, have no capacity for; empty where they have."""
        return ""


NO_LIMIT = Capacity()


@dataclass(frozen=True)
class Context:
    """The ports of one worker. `namespace` is the orchestrator's own.

    `metrics` gives the provider of that name, None where the strategy has none; `prober` gives who tries connections
    for a rollout, None where probes cannot run, and calls `beat` while it waits. `fence` is asked before each write to a policy: RetryLater where the worker may have been replaced.
    """

    cluster: Cluster
    clock: Clock
    repository: Callable[[Source], PolicyRepository]
    metrics: Callable[[m.Analysis, str], MetricSource | None]
    prober: Callable[[m.Probing, str, Callable[[], None]], Prober | None]
    notifier: Notifier | None
    namespace: str = "netpol-canary"
    each: Callable[..., list[Any]] = serial
    fence: Callable[[], None] = open_fence
    beat: Callable[[], None] = open_fence
    capacity: Capacity = NO_LIMIT
    claims: Claims = field(default_factory=Claims)
    tenure: Tenure = field(default_factory=Tenure)


def read(ctx: Context, name: str) -> State:
    """The state of a rollout as it stands in the cluster."""
    rollout = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
    labels = f"{ROLLOUT_LABEL}={name}"
    found = [load(o) for o in ctx.cluster.list(NAMESPACE_ROLLOUT, ctx.namespace, labels)]
    analyses = [load(o) for o in ctx.cluster.list(ANALYSIS, ctx.namespace, labels)]
    strategy = rollout.spec.strategy
    asked = strategy.gates or strategy.emergency.skip
    approvals, unread = _approvals(ctx, rollout) if asked else ((), ())
    ahead = before_wave(rollout)
    return State(
        rollout,
        {r.spec.place: r for r in found},
        {a.spec.wave: a for a in analyses},
        approvals,
        freezes(ctx) if ahead else (),
        ctx.capacity.lacking(rollout) if ahead else "",
        unread=unread,
        followed=None if rollout.status.phase in m.TERMINAL else followed(ctx.cluster, strategy.follow),
    )


def _approvals(ctx: Context, rollout: Rollout) -> tuple[tuple[Approval, ...], tuple[str, ...]]:
    """A rollout's, and in words those that cannot be read: they count for nothing, and stop no way back."""
    found: list[Approval] = []
    unread: list[str] = []
    for obj in ctx.cluster.list(APPROVAL, ctx.namespace):
        spec, meta = obj.get("spec"), obj["metadata"]
        owners = [r.get("uid") for r in meta.get("ownerReferences") or []]
        if (isinstance(spec, dict) and spec.get("rollout") == rollout.name) or rollout.uid in owners:
            try:
                found.append(load(obj))
            except BadInput as error:
                unread.append(
                    f"the approval {meta['name']} cannot be read and counts for nothing: {error}"[:500]
                )
    return tuple(a for a in found if a.spec.rollout == rollout.name), tuple(unread)


def freezes(ctx: Context) -> tuple[Freeze, ...]:
    """Every freeze that was declared; none where the cluster does not know the kind, since none can stand there.

    One that cannot be read freezes everything, and stops no way back.
    """
    try:
        return tuple(_freeze(o) for o in ctx.cluster.list(FREEZE, ctx.namespace))
    except NotFound:
        return ()


def _freeze(obj: Manifest) -> Freeze:
    try:
        return load(obj)
    except BadInput as error:
        spec = m.RolloutFreezeSpec(reason=f"it cannot be read: {error}"[:1024])
        return Resource(obj, spec, m.RolloutFreezeStatus())


def change(ctx: Context, state: State, action: Action, **fields: Any) -> Rollout:
    """Compare-and-swap the rollout's status, with a transition and a notification where `reason` is given."""
    status = state.rollout.status
    if "reason" in fields:
        fields |= reasoned(fields["reason"])
    request = state.request()
    if request is not None and "handled_request" not in fields and action.actor == request.user:
        fields["handled_request"] = request.id
    updated = status.model_copy(update=fields)
    updated.observed_generation = int(state.rollout.manifest["metadata"].get("generation", 0))
    if action.reason:
        moved = built(
            m.Transition,
            time=ctx.clock.now(),
            actor=action.actor,
            phase=updated.phase,
            reason=action.reason,
            message=action.message[:4000],
        )
        line = moved.model_copy(update={"message": sentence(moved.message)})
        updated.transitions = [*updated.transitions, line]
        rollout = state.rollout
        updated.notification_sequence, updated.outbox = posted(
            rollout.spec, rollout.uid, updated, moved, status.wave
        )
    updated.conditions = conditions(ctx, updated)
    written = _swapped(ctx, state.rollout, updated)
    if action.reason and ctx.notifier is not None:
        loud = action.reason in LOUD or stands(updated)
        warning = updated.phase in ("RollingBack", "Failed") or loud
        ctx.notifier.notify(written.manifest, action.reason, action.message, warning)
    return written


def _swapped(ctx: Context, seen: Rollout, updated: m.PolicyRolloutStatus) -> Rollout:
    """Written where nothing but the outbox has changed since it was seen: who sends must never hold up who works."""
    for _ in range(SWAPS):
        try:
            return load(ctx.cluster.replace_status(seen.with_status(updated)))
        except Conflict:
            fresh: Rollout = load(ctx.cluster.get(ROLLOUT, seen.name, ctx.namespace))
            if not only_sent(seen, fresh):
                raise
            updated, seen = rebased(updated, seen.status, fresh.status), fresh
    return load(ctx.cluster.replace_status(seen.with_status(updated)))


def stands(status: m.PolicyRolloutStatus) -> bool:
    """Whether it stands still for a person; a window or capacity is waited for without one."""
    return status.phase == "Paused" and status.paused_for not in m.BY_ITSELF


def conditions(ctx: Context, status: m.PolicyRolloutStatus) -> list[m.Condition]:
    """The kstatus conditions that follow from the phase; `RollbackVerified` and others stay as they are."""
    phase = status.phase
    wanted: dict[str, tuple[m.ConditionStatus, str]] = {
        "Succeeded": ("True" if phase == "Succeeded" else "False", phase),
        "Reconciling": ("False" if phase in m.TERMINAL or stands(status) else "True", phase),
        "Stalled": ("True" if phase == "Failed" or stands(status) else "False", status.paused_for or phase),
    }
    found, now = status.conditions, ctx.clock.now()
    for kind, (value, reason) in wanted.items():
        tells = value == "True" or (kind == "Succeeded" and phase in m.TERMINAL)
        message = status.reason if tells else ""  # one of them says it, not each
        found = put(found, kind, value, reason, message, now)
    return found


def namespace_uid(ctx: Context, name: str) -> str:
    """The uid of a live namespace; empty where it is absent or Terminating. The cluster as a place always stands."""
    if name == CLUSTER:
        return CLUSTER
    try:
        found = ctx.cluster.get(NAMESPACE, name)
    except NotFound:
        return ""
    gone = (
        found["metadata"].get("deletionTimestamp")
        or (found.get("status") or {}).get("phase") == "Terminating"
    )
    return "" if gone else str(found["metadata"].get("uid", ""))
