"""Close a rollout: its terminal phase, the source's record of it, and the finalizer."""

from typing import Any

from orchestrator.context import FINALIZER, ROLLOUT, SOURCE, Context, change
from orchestrator.errors import Conflict, NotFound, RetryLater
from orchestrator.rollout.abandoned import LOST
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.order.write_turns import by_place
from orchestrator.rollout.outbox import turned_back
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.places import counted, whole
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.sources.prune import let_go, records_of
from orchestrator.sources.verified_state import as_verified
from orchestrator.wording import few

MOST_NAMED = 5
NOTHING_VERIFIED: dict[str, Any] = {"current_revision_since": None, "current_revision_namespaces": []}


def run(ctx: Context, state: State, action: Action) -> None:
    """Every touched namespace is restored: RolledBack, with the latency."""
    status = state.rollout.status
    now = ctx.clock.now()
    since = status.detected_at
    times = [n.status.restored_at for n in state.namespaces.values() if n.status.restored_at]
    # What was restored before this way back began took none of its time; probes that verify it do not, either.
    restored = max([*times, *([since] if since else [])], default=now)
    seconds = (restored - since).total_seconds() if since else None
    go = Action("finish", reason="RolledBack", message=f"{_done(state)}: {status.said}")
    change(ctx, state, go, phase="RolledBack", restored_at=restored, restored_seconds=seconds)


def _done(state: State) -> str:
    """How many namespaces were rolled back, and which are gone: of those nothing is left to restore."""
    touched = list(dict.fromkeys(map(whole, state.touched())))
    gone = [items[0].spec.namespace for items in by_place(state) if items[0].status.phase == "Deleted"]
    back = [name for name in touched if name not in gone]
    if not touched:
        return "nothing was written"
    deleted = (
        [f"{few(gone, MOST_NAMED)} {'was' if len(gone) == 1 else 'were'} deleted meanwhile"] if gone else []
    )
    told = [f"{counted(back)} restored"] if back else []
    return "; ".join([*told, *deleted])


def release(ctx: Context, state: State, action: Action) -> None:
    """Tell the source how it ended, then let go of the PolicyRollout."""
    rollout = state.rollout
    try:
        source: Source = load(ctx.cluster.get(SOURCE, rollout.spec.source, ctx.namespace))
    except NotFound:
        source = None  # type: ignore[assignment]
    try:
        if source is not None:
            _record(ctx, source, state)
        if rollout.deleting:
            for record in records_of(ctx, rollout.name):
                let_go(ctx, record)
        fresh = ctx.cluster.get(ROLLOUT, rollout.name, ctx.namespace)
        metadata = dict(fresh["metadata"])
        metadata["finalizers"] = [f for f in metadata.get("finalizers") or [] if f != FINALIZER]
        ctx.cluster.replace({**fresh, "metadata": metadata})
    except Conflict as error:
        raise RetryLater(str(error), 0.2) from None


def _record(ctx: Context, source: Source, state: State) -> None:
    rollout, phase = state.rollout, state.rollout.status.phase
    fields: dict[str, Any] = {}
    if source.status.active_rollout == rollout.name and source.status.active_uid in ("", rollout.uid):
        fields |= {"active_rollout": "", "active_uid": ""}
    if rollout.spec.revision == rollout.spec.previous_revision:
        # New namespaces were brought to the verified state: a hold on another revision stays.
        fields |= as_verified(rollout) if phase == "Succeeded" else {}
    elif phase == "Succeeded":
        fields |= {"current_revision": rollout.spec.revision, "blocked_revision": "", "blocked_reason": ""}
        fields |= as_verified(rollout)
    elif phase in ("RolledBack", "Failed"):
        if phase == "Failed" or not _engine_lost_once(ctx, rollout):
            fields |= {
                "blocked_revision": rollout.spec.revision,
                "blocked_reason": rollout.status.reason[:1000],
            }
        if source.status.current_revision_rollout == rollout.name:
            fields |= {"current_revision": rollout.spec.previous_revision, "current_revision_rollout": ""}
            # Namespaces that come after it get the revision before it, where there is one.
            fields |= {} if rollout.spec.previous_revision else NOTHING_VERIFIED
    updated = source.status.model_copy(update=fields)
    if updated != source.status:
        ctx.cluster.replace_status(source.with_status(updated))


def _engine_lost_once(ctx: Context, rollout: Rollout) -> bool:
    """Rolled back because nobody worked on it any more: says nothing of the change, which may be tried once more.

    Twice for one revision says that the change may be what takes the engine away: then it is blocked.
    """
    if turned_back(rollout.status) != LOST:
        return False
    labels = f"{SOURCE_LABEL}={rollout.spec.source}"
    others: list[Rollout] = [load(o) for o in ctx.cluster.list(ROLLOUT, ctx.namespace, labels)]
    return not any(
        r.name != rollout.name and r.spec.revision == rollout.spec.revision and turned_back(r.status) == LOST
        for r in others
    )
