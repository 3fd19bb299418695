"""The conditions of a resource, as kstatus has them: one of a type, with the time of its last change of status."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.rollout.resources.bounds import built, cut, most, sentence
from orchestrator.rollout.resources.model import Condition, ConditionStatus, Detail, Explanation


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
    """All of them, this one last, in one line; it changed `now`, unless its status was the same already."""
    old = of_type(conditions, kind)
    since = old.last_transition_time if old is not None and old.status == status else now
    said = {"status": status, "reason": reason, "message": sentence(message)}
    made = built(Condition, type=kind, last_transition_time=since, **said)
    return [*(c for c in conditions if c.type != kind), made]


def detailed(details: Sequence[Detail], kind: str, text: str) -> list[Detail]:
    """All of them, with the whole of what the condition of a type says in one line, where it is more than that."""
    others = [d for d in details if d.type != kind]
    return others if sentence(text) == text else [*others, built(Detail, type=kind, text=text)]


def whole(conditions: Sequence[Condition], details: Sequence[Detail], kind: str) -> str:
    """All that the condition of a type says; empty where there is none."""
    found = of_type(conditions, kind)
    return next((d.text for d in details if d.type == kind), found.message if found is not None else "")


def readiness(conditions: Sequence[Condition], details: Sequence[Detail]) -> str:
    """What the controller last said of a source, in a sentence."""
    return whole(conditions, details, "Ready") or "not polled yet"


def reasoned(text: str) -> dict[str, str]:
    """`reason` in one line, and `details` where there is more to say."""
    short = sentence(text)
    return {"reason": short, "details": "" if short == text else cut(text, most(Explanation, "details"))}
