"""Sequential tests: evidence, and when that of a wave raises the alarm; streams.py makes it from counts.

May be asked after every scrape: the chance that a whole rollout raises one false alarm is at most alpha over
all its metrics, namespaces, checks and waves, where errors clump by no more than CLUMP or than the past shows
(clumps.py). Each namespace and metric is a stream with its own e-process (betting.py); a wave's are averaged,
which needs no independence, and a wave alarms at waves/alpha. Nothing is stored: the same counts give the
same answer. Not borne: errors that last over many intervals without being a regression, and a change that all
namespaces share but the controls' scrapes show later than the canary's.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.analysis.sequential.counters import Increments

Key = TypeVar("Key", bound=Hashable)

BOUNDS = 0.25  # of alpha, for the bounds on drift and on past volume; the bets spend the rest


@dataclass(frozen=True)
class Counts:
    """Errors and requests in each interval, of one namespace or several pooled; None: not scraped."""

    errors: Increments
    total: Increments


@dataclass(frozen=True)
class Evidence:
    """What one stream says. Logs are natural.

    `path` is the log evidence after each interval, `log_e` its last value and `peak` its largest. `seen` and
    `expected` are errors and the most that are expected, or requests and how many are expected; `exposure` is
    requests, or intervals. `enough` says that a regression of the size asked about would have raised the
    alarm.
    """

    log_e: float
    peak: float
    path: tuple[float, ...]
    seen: float
    expected: float
    exposure: float
    enough: bool
    message: str
    note: str = ""


@dataclass(frozen=True)
class Joint(Generic[Key]):
    """What a wave's streams say together: `log_e` is the largest so far; no stream has no `worst`."""

    alarm: bool
    worst: Key | None
    log_e: float


def threshold(alpha: float, waves: int) -> float:
    """The log evidence at which a wave alarms: a rollout of so many does so falsely with at most alpha."""
    return math.log(waves / (alpha * (1 - BOUNDS)))


def alarm_at(streams: int, waves: int, alpha: float) -> float:
    """The log evidence at which one of a wave's streams alarms by itself, whatever the others say."""
    return threshold(alpha, waves) + math.log(max(streams, 1))


def pooled(parts: Sequence[Increments]) -> Increments:
    """The sum of several namespaces' increments; None where none of them was scraped."""
    slots = zip(*parts, strict=True)
    known = ([x for x in slot if x is not None] for slot in slots)
    return tuple(sum(slot) if slot else None for slot in known)


def verdict_of(streams: Mapping[Key, Evidence], alpha: float, waves: int) -> Joint[Key]:
    """Whether a wave's streams raise the alarm; paths begin together, a shorter one keeps its last value."""
    limit = threshold(alpha, waves)
    best, worst = 0.0, next(iter(streams), None)
    if worst is not None:
        worst = max(streams, key=lambda key: streams[key].peak)
        for look in range(max(len(e.path) for e in streams.values())):
            now = [e.path[min(look, len(e.path) - 1)] if e.path else 0.0 for e in streams.values()]
            best = max(best, _log_sum(now) - math.log(len(now)))
    return Joint(best >= limit, worst, best)


@dataclass(frozen=True)
class Share(Generic[Key]):
    """Some of a wave's streams after an interval: `evidence` is the log of the sum of theirs; no stream has no `worst`."""

    streams: int
    evidence: float
    worst: Key | None = None
    peak: float = 0.0


def share_of(streams: Mapping[Key, Evidence]) -> Share[Key]:
    """What is enough to judge some streams together with others, whose counts are elsewhere."""
    if not streams:
        return Share(0, 0.0)
    worst = max(streams, key=lambda key: streams[key].peak)
    return Share(len(streams), _log_sum([e.log_e for e in streams.values()]), worst, streams[worst].peak)


def together(shares: Sequence[Share[Key]], alpha: float, waves: int) -> Joint[Key]:
    """As `verdict_of` at the latest interval, over the streams of all shares; asked at each look."""
    limit, known = threshold(alpha, waves), [s for s in shares if s.streams]
    if not known:
        return Joint(False, None, 0.0)
    mean = _log_sum([s.evidence for s in known]) - math.log(sum(s.streams for s in known))
    return Joint(mean >= limit, max(known, key=lambda s: s.peak).worst, max(mean, 0.0))


def _log_sum(logs: Sequence[float]) -> float:
    """The log of the sum of what these are logs of."""
    top = max(logs)
    return top + math.log(sum(math.exp(x - top) for x in logs))
