"""Many rollouts at once: how each of them went, how often that was well, and how long things took."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from orchestrator.record.build import ended_at
from orchestrator.record.timeline import decision
from orchestrator.rollout.gates.approvals import created
from orchestrator.rollout.outbox import REGRESSIONS
from orchestrator.rollout.resources.model import TERMINAL, PolicyRolloutStatus, RolloutPhase
from orchestrator.rollout.resources.resource import Approval, Rollout

OWN = ("", "netpol-canary")  # who acts where no person does
MOST_BUCKETS = 60
MOST_DECISIONS = 50
DAY = 86_400  # seconds
WEEK, MONTH = 7 * DAY, 28 * DAY


@dataclass(frozen=True)
class Entry:
    """One rollout in a line. Durations in seconds, None where that did not happen.

    `lead_seconds` is from the newest commit to success, `noticed_seconds` from the opening of the wave that went wrong
    to the decision to go back, `restored_seconds` from there until everything was read back, `waited_seconds` what it
    stood paused. `actors` are people who decided or asked for something, `decisions` what they decided and why. Of one that
    cannot be read only the name is known.
    """

    name: str
    source: str = ""
    revision: str = ""
    phase: RolloutPhase = "Pending"
    authors: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    risk: str = ""
    reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    waited_seconds: float = 0.0
    lead_seconds: float | None = None
    noticed_seconds: float | None = None
    restored_seconds: float | None = None
    verified: str = ""
    decisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rates:
    """How many ended how; `running` have not ended. Shares are of those that were decided by what they did."""

    succeeded: int = 0
    rolled_back: int = 0
    failed: int = 0
    superseded: int = 0
    running: int = 0

    @property
    def total(self) -> int:
        return self.succeeded + self.rolled_back + self.failed + self.superseded + self.running

    def share(self, count: int) -> float | None:
        """Of the decided ones; None where there are none."""
        decided = self.succeeded + self.rolled_back + self.failed
        return count / decided if decided else None


@dataclass(frozen=True)
class Spread:
    """How long something took, in seconds: so many times, the middle one, nine of ten, the longest."""

    count: int
    median: float
    ninth: float
    longest: float


@dataclass(frozen=True)
class Bucket:
    """The rollouts that began within a day, a week or four weeks."""

    start: datetime
    end: datetime
    rates: Rates
    lead: Spread | None
    restored: Spread | None


@dataclass(frozen=True)
class Summary:
    """Rates and latencies of some rollouts, whole and over time."""

    rates: Rates
    running: Spread | None
    waited: Spread | None
    lead: Spread | None
    noticed: Spread | None
    restored: Spread | None
    buckets: tuple[Bucket, ...]


def entry(rollout: Rollout, approvals: Iterable[Approval] = ()) -> Entry:
    """One rollout, from its own object and the decisions about it."""
    spec, status = rollout.spec, rollout.status
    ended = ended_at(status)
    decided = sorted((a for a in approvals if a.spec.rollout == rollout.name), key=_when)
    actors = [*(t.actor for t in status.transitions), *(a.spec.user for a in decided)]
    verified = next((c.status for c in status.conditions if c.type == "RollbackVerified"), "")
    return Entry(
        rollout.name,
        spec.source,
        spec.revision,
        status.phase,
        tuple(p.removeprefix("user:") for p in spec.authors),
        tuple(dict.fromkeys(a for a in actors if a not in OWN)),
        tuple(spec.namespace_names),
        spec.risk,
        status.reason.partition("\n")[0],
        status.started_at or created(rollout.manifest),
        ended,
        _between(status.started_at, ended),
        _waited(status),
        _between(spec.committed_at, ended) if status.phase == "Succeeded" else None,
        _noticed(status),
        status.restored_seconds,
        verified,
        tuple(decision(a.spec) for a in decided[-MOST_DECISIONS:]),
    )


def _when(approval: Approval) -> tuple[str, str]:
    return str(created(approval.manifest)), approval.name


def _between(start: datetime | None, end: datetime | None) -> float | None:
    """None where one is missing, or where a commit claims to be from the future."""
    seconds = (end - start).total_seconds() if start and end else -1.0
    return seconds if seconds >= 0 else None


def _waited(status: PolicyRolloutStatus) -> float:
    pairs = pairwise(status.transitions)
    return sum((b.time - a.time).total_seconds() for a, b in pairs if a.phase == "Paused")


def _noticed(status: PolicyRolloutStatus) -> float | None:
    """From the last opening of a wave to the regression, of whichever kind."""
    opened = None
    for moved in status.transitions:
        if moved.reason in ("WaveStarted", "BreakGlass"):  # what opens a wave, or lets it open at once
            opened = moved.time
        elif moved.reason in REGRESSIONS:
            return _between(opened, moved.time)
    return None


def summary(entries: Sequence[Entry], now: datetime) -> Summary:
    """All of them, and over time until `now`."""
    return Summary(
        rates(entries),
        spread(e.seconds for e in entries),
        spread(e.waited_seconds for e in entries if e.waited_seconds),
        spread(e.lead_seconds for e in entries),
        spread(e.noticed_seconds for e in entries),
        spread(e.restored_seconds for e in entries),
        buckets(entries, now),
    )


def rates(entries: Iterable[Entry]) -> Rates:
    """How many ended how."""
    phases = [e.phase for e in entries]
    return Rates(
        phases.count("Succeeded"),
        phases.count("RolledBack"),
        phases.count("Failed"),
        phases.count("Superseded"),
        sum(p not in TERMINAL for p in phases),
    )


def spread(values: Iterable[float | None]) -> Spread | None:
    """Nearest-rank percentiles; None where there is no value."""
    found = sorted(v for v in values if v is not None)
    if not found:
        return None

    def ranked(share: float) -> float:
        return found[max(math.ceil(share * len(found)) - 1, 0)]

    return Spread(len(found), ranked(0.5), ranked(0.9), found[-1])


def buckets(entries: Sequence[Entry], now: datetime) -> tuple[Bucket, ...]:
    """Days where they span a month at most, weeks where a year, else four weeks; the newest sixty, empty ones too."""
    starts = [e.started_at for e in entries if e.started_at]
    if not starts:
        return ()
    span = (now - min(starts)).total_seconds()
    size = DAY if span <= 31 * DAY else WEEK if span <= 366 * DAY else MONTH
    last = _floor(max(now, max(starts)), size)
    first = max(_floor(min(starts), size), last - timedelta(seconds=size * (MOST_BUCKETS - 1)))
    count = int((last - first).total_seconds() // size) + 1
    edges = [first + timedelta(seconds=size * n) for n in range(count + 1)]
    return tuple(_bucket(entries, a, b) for a, b in pairwise(edges))


def _floor(moment: datetime, size: int) -> datetime:
    """The beginning of the day; of the week from Monday; of four weeks counted from a Monday."""
    zero = datetime(2001, 1, 1, tzinfo=UTC)
    return zero + timedelta(seconds=(moment - zero).total_seconds() // size * size)


def _bucket(entries: Sequence[Entry], start: datetime, end: datetime) -> Bucket:
    mine = [e for e in entries if e.started_at and start <= e.started_at < end]
    lead, restored = (e.lead_seconds for e in mine), (e.restored_seconds for e in mine)
    return Bucket(start, end, rates(mine), spread(lead), spread(restored))
