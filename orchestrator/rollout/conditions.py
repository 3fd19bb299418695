"""The conditions of a resource, as kstatus has them: one of a type, with the time of its last change of status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.rollout.bounds import built
from orchestrator.rollout.model import Condition, ConditionStatus


def of_type(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """The one of a type."""
    return next((c for c in conditions if c.type == kind), None)


def put(
    conditions: Sequence[Condition],
    kind: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    now: datetime,
) -> list[Condition]:
    """All of them, this one last; it changed `now`, unless its status was the same already."""
    old = of_type(conditions, kind)
    since = old.last_transition_time if old is not None and old.status == status else now
    said = {"status": status, "reason": reason, "message": message}
    made = built(Condition, type=kind, last_transition_time=since, **said)
    return [*(c for c in conditions if c.type != kind), made]
