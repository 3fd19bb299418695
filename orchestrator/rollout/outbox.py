"""What a rollout still has to tell, to whom, and how much it may be: entries of its status.

An entry is written in the same compare-and-swap as the transition that it tells of, and taken off once it was
sent; so nothing is lost, and nothing is sent twice unless a process ends between sending and taking off.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built
from orchestrator.rollout.resources.resource import Rollout

UNSENT = "netpol-canary.dev/unsent"
STATUSES, COMMENT, REVERT, NOTIFY = "statuses", "comment", "revert", "notify/"
MOST_KEPT = 50
MOST_MESSAGE = 800
GIVE_UP = timedelta(days=1)
DELIVERED = "NotificationsDelivered"

REGRESSIONS = frozenset(
    {"Regression", "ObserverLost", "StepDeadlineExceeded", "ProgressDeadlineExceeded", "EngineLost"}
)
NO_NEWS = frozenset({"TakenOver", "Ignored"})
NOT_ITS_FAULT = frozenset({"Superseded", "Deleted", "EngineLost"})
BY_ITSELF = frozenset(
    {"WindowClosed", "Queued", "AwaitingWorkload"}
)  # pauses for a window, a freeze or capacity: nobody is needed
ACTED_ON = frozenset(
    {
        "approval",
        "inconclusive",
        "drift",
        "error",
        "regression",
        "rolledBack",
        "failed",
        "breakGlass",
        "emergency",
    }
)
_BY_REASON = {
    "Planned": "started",
    "WaveStarted": "waveStarted",
    "ApprovalRequired": "approval",
    "ApprovalsUnproven": "approval",
    "Approved": "approved",
    "Promoted": "promoted",
    "Inconclusive": "inconclusive",
    "Undecided": "inconclusive",
    "Drift": "drift",
    "InternalError": "error",
    "BreakGlass": "breakGlass",
    "Emergency": "emergency",
}
_BY_PHASE = {
    "Paused": "paused",
    "RollingBack": "rollback",
    "RolledBack": "rolledBack",
    "Failed": "failed",
    "Succeeded": "succeeded",
    "Superseded": "superseded",
}
_MOVING = ("resourceVersion", "managedFields")
_ORDER: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}


def groups(phase: str, reason: str) -> frozenset[str]:
    """The groups of events that a transition belongs to, and its reason itself."""
    found = {"all", reason, _BY_REASON.get(reason, ""), _BY_PHASE.get(phase, "")}
    if phase == "RollingBack" and reason in REGRESSIONS:
        found.add("regression")
    return frozenset(found - {""})


def severity(phase: str, reason: str) -> m.Severity:
    """Critical where a change did harm or a person is needed at once."""
    if phase == "Failed" or (phase == "RollingBack" and reason in REGRESSIONS):
        return "critical"
    if reason in BY_ITSELF:
        return "info"
    loud = phase in ("Paused", "RollingBack", "RolledBack") or reason in ("BreakGlass", "Emergency")
    return "warning" if loud else "info"


def receivers(
    spec: m.PolicyRolloutSpec, status: m.PolicyRolloutStatus, moved: m.Transition, weight: m.Severity
) -> list[str]:
    """Who is to be told of a transition."""
    if moved.reason in NO_NEWS:
        return []
    found, of = [], groups(moved.phase, moved.reason)
    if spec.feedback is not None:
        found += [STATUSES] if spec.feedback.statuses else []
        picture = moved.phase in m.TERMINAL or moved.phase in ("Paused", "RollingBack")
        found += (
            [COMMENT]
            if spec.feedback.comments and (picture or moved.reason in ("Planned", "Promoted"))
            else []
        )
        found += [REVERT] if spec.feedback.revert and _harmed(spec, status, moved) else []
    for item in spec.notifications:
        if of & frozenset(item.events or ACTED_ON) and _ORDER[weight] >= _ORDER[item.min_severity]:
            found.append(f"{NOTIFY}{item.name}")
    return found


def _harmed(spec: m.PolicyRolloutSpec, status: m.PolicyRolloutStatus, moved: m.Transition) -> bool:
    """Whether Git now asks for what was rolled back: not where something newer takes its place, or nothing new was."""
    if moved.phase != "RolledBack" or spec.revision == spec.previous_revision:
        return False
    return turned_back(status) not in NOT_ITS_FAULT


def turned_back(status: m.PolicyRolloutStatus) -> str:
    """The reason for which the last way back began; empty where none did."""
    back = (t for t in reversed(status.transitions) if t.phase == "RollingBack" and t.reason not in NO_NEWS)
    return next((t.reason for t in back), "")


def posted(
    spec: m.PolicyRolloutSpec, uid: str, status: m.PolicyRolloutStatus, moved: m.Transition, wave: int
) -> tuple[int, list[m.Outgoing]]:
    """The number of the last entry and the outbox, with one more where somebody is to be told."""
    weight = severity(moved.phase, moved.reason)
    to = receivers(spec, status, moved, weight)
    if not to:
        return status.notification_sequence, status.outbox
    number = status.notification_sequence + 1
    entry = built(
        m.Outgoing,
        id=f"{uid}/{number}",
        time=moved.time,
        phase=status.phase,
        reason=moved.reason,
        message=moved.message[:MOST_MESSAGE],
        wave=wave,
        waves_started=status.waves_started,
        severity=weight,
        to=to,
    )
    return number, bounded([*status.outbox, entry])


def bounded(entries: list[m.Outgoing]) -> list[m.Outgoing]:
    """As many as are kept: the oldest of the least weight go first, how it ended never does."""
    over = len(entries) - MOST_KEPT
    if over <= 0:
        return entries
    spare = [n for n, e in enumerate(entries) if e.phase not in m.TERMINAL]
    gone = set(sorted(spare, key=lambda n: (_ORDER[entries[n].severity], n))[:over])
    return [e for n, e in enumerate(entries) if n not in gone]


def without(entries: Iterable[m.Outgoing], ids: Collection[str], to: str) -> list[m.Outgoing]:
    """The outbox once `to` was told of those entries, or is not to be told any more."""
    found = []
    for entry in entries:
        left = [r for r in entry.to if r != to] if entry.id in ids else entry.to
        if left:
            found.append(entry if left == entry.to else entry.model_copy(update={"to": left}))
    return found


def waiting(entries: Iterable[m.Outgoing]) -> str:
    """Who still is to be told how many things, in words; empty where nobody is."""
    counts = Counter(to.removeprefix(NOTIFY) for entry in entries for to in entry.to)
    return ", ".join(f"{to} ({number})" for to, number in sorted(counts.items()))


def overdue(entry: m.Outgoing, now: datetime) -> bool:
    """Whether it was tried for long enough."""
    return now - entry.time >= GIVE_UP


def only_sent(read: Rollout, fresh: Rollout) -> bool:
    """Whether a rollout differs from what was read by no more than what was told since, and the note of that."""
    left, right = (
        {k: v for k, v in r.manifest["metadata"].items() if k not in _MOVING} for r in (read, fresh)
    )
    return left == right and read.spec == fresh.spec and _rest(read.status) == _rest(fresh.status)


def rebased(
    updated: m.PolicyRolloutStatus, read: m.PolicyRolloutStatus, fresh: m.PolicyRolloutStatus
) -> m.PolicyRolloutStatus:
    """A status that was made from `read`, on top of what was told since."""
    known = {e.id for e in read.outbox}
    kept = [c for c in updated.conditions if c.type != DELIVERED]
    noted = [c for c in fresh.conditions if c.type == DELIVERED]
    outbox = bounded([*fresh.outbox, *(e for e in updated.outbox if e.id not in known)])
    return updated.model_copy(update={"outbox": outbox, "conditions": [*kept, *noted]})


def _rest(status: m.PolicyRolloutStatus) -> m.PolicyRolloutStatus:
    others = [c for c in status.conditions if c.type != DELIVERED]
    return status.model_copy(update={"outbox": [], "conditions": others})


def unsent(spec: m.PolicyRolloutSpec) -> tuple[str, ...]:
    """The finalizer of a rollout that has somebody to tell: deleting it waits for how it ended."""
    return (UNSENT,) if spec.feedback is not None or spec.notifications else ()
