"""Write a wave: every namespace from `before` to `after`, then its NamespaceRollout to Applied.

What is for the whole cluster is written by itself, before or after the namespaces, as the plan has it; a place that changes
in several waves is written for one of them after the other, where an emergency opened them together.
"""

import json
from collections.abc import Sequence

import structlog

from orchestrator.context import Context, change, namespace_uid
from orchestrator.errors import Conflict, RetryLater
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.order.write_turns import due
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.resource import NamespaceRollout
from orchestrator.writing.converge import Drift, converge
from orchestrator.writing.frozen_walk import Record
from orchestrator.writing.late_creations import undone


def manifests(texts: list[str]) -> list[Manifest]:
    """Canonical texts back to objects."""
    return [json.loads(text) for text in texts]


def run(ctx: Context, state: State, action: Action) -> None:
    """Pauses for drift; RetryLater where an object moved in between."""
    write(ctx, state, action, state.wave_places(action.wave))


def write(ctx: Context, state: State, action: Action, places: Sequence[str]) -> None:
    """Those of a wave's places that are not written yet. Raises RetryLater where others come before them."""
    first = due(state, action.wave)
    pending = [item for item in first if item.spec.place in places]
    if first and not pending:
        raise RetryLater(f"{first[0].spec.place} comes first", 0.5)
    workers = state.rollout.spec.strategy.max_parallel
    drifted = [text for text in ctx.each(lambda item: _one(ctx, item), pending, workers) if text]
    if drifted:
        hint = "`netpol-canary resume` tries again, `netpol-canary abort` rolls back what was applied"
        message = f"{'; '.join(drifted)[:1500]}. {hint}"
        go = Action("pause", action.wave, "Drift", message, paused_for="drift")
        change(ctx, state, go, phase="Paused", paused_for="drift", reason=message)


def _one(ctx: Context, item: NamespaceRollout) -> str:
    record = Record(ctx, item)
    with undone(ctx, record):
        return _written(ctx, record)


def _written(ctx: Context, record: Record) -> str:
    name, spec = record.item.spec.namespace, record.item.spec
    gone = namespace_uid(ctx, name) != spec.namespace_uid
    if not gone:
        try:
            ends = manifests(spec.before), manifests(spec.after)
            converge(ctx, name, *ends, spec.rollout, forward=True, frozen=record.frozen())
        except Drift as drift:
            # A namespace that goes takes its policies with it.
            gone = namespace_uid(ctx, name) != spec.namespace_uid
            if not gone:
                return str(drift)
        except Conflict as error:
            raise RetryLater(f"{name}: {error}", 0.2) from None
    phase, message = ("Deleted", "the namespace was deleted") if gone else ("Applied", "")
    structlog.get_logger().info(phase, namespace=name)
    item = record.item
    status = item.status.model_copy(
        update={"phase": phase, "applied_at": ctx.clock.now(), "message": message}
    )
    ctx.cluster.replace_status(item.with_status(status))
    return ""
