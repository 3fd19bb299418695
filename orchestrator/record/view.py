"""What there is to see of a rollout, as plain values: pages, reports and `describe` all draw from these."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from orchestrator.rollout.resources.model import (
    Answer,
    EdgeChange,
    MeasurementPhase,
    NamespacePhase,
    RolloutPhase,
)
from orchestrator.rollout.resources.places import worded

LinkWord = Literal["cut", "opened", "narrowed", "widened", "same"]
LinkChange = EdgeChange | Literal["same"]
LINK_WORDS: tuple[LinkWord, ...] = get_args(LinkWord)  # what clients feel first
MarkKind = Literal["applied", "detected", "restored", "promoted"]
WaveState = Literal["ahead", "waiting", "running", "good", "bad", "undone"]


@dataclass(frozen=True)
class Moment:
    """One line of the timeline; `kind` is the transition's reason, or Applied, Looked, Restored, Decided."""

    time: datetime
    kind: str
    text: str
    actor: str = ""
    wave: int | None = None


@dataclass(frozen=True)
class Point:
    """One measurement: the canary's value, its baseline's and the controls', where there is one."""

    time: datetime
    phase: MeasurementPhase
    value: float | None
    baseline: float | None
    control: float | None
    message: str = ""


@dataclass(frozen=True)
class Curve:
    """One metric of one namespace over a wave; `minimum` and `maximum` are its limits where it has any.

    `min_ratio` and `max_increase` are limits against its baseline. With `expects`, a baseline is what was expected by
    then, else the value before the change. What does not decide is recorded only.
    """

    metric: str
    kind: str
    namespace: str
    points: tuple[Point, ...]
    minimum: float | None = None
    maximum: float | None = None
    query: str = ""
    min_ratio: float | None = None
    max_increase: float | None = None
    decides: bool = True
    expects: bool = False


@dataclass(frozen=True)
class Mark:
    """A moment that is drawn into every curve of a wave."""

    time: datetime
    kind: MarkKind
    text: str


@dataclass(frozen=True)
class Attempt:
    """One row of the probe matrix. `good` is None where it proves nothing yet."""

    name: str
    role: str
    source: str
    destination: str
    port: int
    protocol: str
    check: str
    before: Answer
    after: Answer
    expected: Answer
    good: bool | None
    long_lived: Answer | None = None
    message: str = ""


@dataclass(frozen=True)
class Link:
    """One connection of the diff: predicted, probed, seen; `because` names rules, files and commits."""

    source: str
    destination: str
    before: str
    after: str
    change: LinkChange
    because: tuple[str, ...] = ()
    probed: str = ""
    seen: str = ""
    alarm: str = ""
    broken: bool = False

    @property
    def words(self) -> tuple[LinkWord, ...]:
        """What happens to it, what clients feel first; more than one where it gains some ports and loses others."""
        return tuple(word for word in LINK_WORDS if word in self.change.split(" and "))


@dataclass(frozen=True)
class ObjectDiff:
    """One object that differs: `diff` is a unified diff of YAML; `file` is `path:line`."""

    object: str
    action: str
    file: str
    commit: str
    diff: str


@dataclass(frozen=True)
class Cell:
    """One namespace of a wave; `phase` is Pending where nothing was frozen yet.

    Where it changes for some of its pods at a time, `of` says for which; `place` is its name in this wave alone.
    """

    namespace: str
    wave: int
    phase: NamespacePhase
    message: str = ""
    applied_at: datetime | None = None
    restored_at: datetime | None = None
    restored_seconds: float | None = None
    objects: tuple[ObjectDiff, ...] = ()
    of: str = ""
    place: str = ""

    @property
    def title(self) -> str:
        """Where it is, for people, and for which pods."""
        return ", ".join(filter(None, (worded(self.namespace), self.of)))


@dataclass(frozen=True)
class WaveView:
    """One wave. `state` is ahead, waiting, running, good, bad or undone, for colours and words alike.

    `planned` are the connections that the plan says change with it, the worst first, out of `planned_total`; `links` are
    those of its analysis, known once it has begun.
    """

    number: int
    why: str
    state: WaveState
    verdict: MeasurementPhase
    reason: str
    cells: tuple[Cell, ...]
    watched: tuple[str, ...] = ()
    control_group: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    marks: tuple[Mark, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    links: tuple[Link, ...] = ()
    notes: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    planned: tuple[Link, ...] = ()
    planned_total: int = 0

    @property
    def planned_more(self) -> int:
        """How many change with it beyond those that were kept."""
        return max(self.planned_total - len(self.planned), 0)


@dataclass(frozen=True)
class RolloutView:
    """A whole rollout. `explained` are the lines of why it was rolled back or stands still, with titles.

    `waits_for` is empty unless a person, a window or an approval is waited for; `cause` where it is no new revision;
    `engine` where a wave's work is not done in the controller's process. `ignored` is what people wrote and nobody can read,
    `truncated` what the status could not hold; `emergency` is who declared one, what it skips, and why.
    Times in UTC, durations in seconds.
    """

    name: str
    source: str
    revision: str
    previous_revision: str
    plan_digest: str
    phase: RolloutPhase
    paused_for: str
    reason: str
    waits_for: str
    authors: tuple[str, ...]
    risk: str
    risk_reasons: tuple[str, ...]
    boundaries: tuple[str, ...]
    waves: tuple[WaveView, ...]
    moments: tuple[Moment, ...]
    explained: tuple[tuple[str, str], ...]
    confidence: str
    started_at: datetime | None
    detected_at: datetime | None
    restored_at: datetime | None
    restored_seconds: float | None
    verified: Literal["", "True", "False", "Unknown"]
    verified_message: str = ""
    commits: tuple[str, ...] = ()
    committed_at: datetime | None = None
    ended_at: datetime | None = None
    cause: str = ""
    engine: str = ""
    ignored: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    subject: str = ""
    emergency: str = ""
