"""A rollout, as the API tells it: in a list, and whole."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from orchestrator.errors import BadInput
from orchestrator.ports import Manifest
from orchestrator.record.summary import Entry, entry
from orchestrator.record.view import Cell, WaveState, WaveView
from orchestrator.rollout.gates.approvals import GateState
from orchestrator.rollout.resources.model import (
    MeasurementPhase,
    NamespacePhase,
    PauseReason,
    PolicyRolloutStatus,
    RolloutPhase,
)
from orchestrator.rollout.resources.resource import Approval, Rollout, load
from orchestrator.server.api.answers import Answer, Moment, Page, Seconds, fields_of
from orchestrator.server.pages.read import Seen

MOST_MOMENTS = 300
READABLE = "Why the rollout cannot be read; then the other fields are empty."


class RolloutSummary(Answer):
    """A rollout in a line: how it went or goes, by whom, and how long that took."""

    name: str
    source: str
    revision: str = Field(description="The commit.")
    subject: str = Field(description="The first line of the commit's message.")
    phase: RolloutPhase
    paused_for: PauseReason = Field(description="What a paused one waits for.")
    reason: str
    risk: str
    authors: list[str]
    actors: list[str] = Field(description="People who decided or asked for something.")
    decisions: list[str] = Field(description="What they decided, and why.")
    wave: int = Field(description="The current one, from 0, the canary.")
    wave_count: int
    namespace_count: int
    started_at: Moment
    ended_at: Moment
    seconds: Seconds
    waited_seconds: Seconds
    lead_seconds: Seconds
    noticed_seconds: Seconds
    restored_seconds: Seconds
    verified: Literal["", "True", "False", "Unknown"] = Field(
        description="Whether probes answer as before after a rollback."
    )
    problem: str = Field(description=READABLE)


class RolloutList(Page):
    """Rollouts, the newest first."""

    items: list[RolloutSummary]


class Changes(Answer):
    """How many objects of a namespace are created, updated and deleted."""

    create: int
    update: int
    delete: int

    @classmethod
    def counted(cls, count: Callable[[str], int]) -> "Changes":
        """`count` says how often an action is taken."""
        return cls(create=count("create"), update=count("update"), delete=count("delete"))


class WaveNamespace(Answer):
    """A namespace of a wave."""

    namespace: str
    of: str = Field(description="For which of its pods the wave changes it; empty where it is for all.")
    phase: NamespacePhase
    message: str
    applied_at: Moment
    restored_at: Moment
    restored_seconds: Seconds
    changes: Changes = Field(description="All zero where the wave has not begun.")


class Wave(Answer):
    """Some namespaces that are changed together; the first is the canary."""

    number: int
    why: str
    state: WaveState
    verdict: MeasurementPhase
    reason: str
    connections: int = Field(description="How many connections the plan says change with it.")
    namespaces: list[WaveNamespace]


class Voice(Answer):
    """One person's approval."""

    user: str
    at: Moment
    comment: str
    why: str = Field(description="Why it does not count; empty where it does.")


class Gate(Answer):
    """What the next wave waits for: so many approvals of people in these groups, of anybody where there are none."""

    name: str
    needed: int
    groups: list[str]
    given: list[Voice]
    ignored: list[Voice]
    barred: list[str] = Field(description="Authors, whose own approvals do not count.")


class RecordedMoment(Answer):
    """One line of the record."""

    time: datetime
    kind: str
    text: str
    actor: str
    wave: int | None


class Explained(Answer):
    """One line of why it was rolled back, or stands still."""

    title: str
    text: str


class RolloutAnswer(Answer):
    """A rollout: where it stands, its waves, what it waits for, and who did what when."""

    name: str
    source: str
    revision: str
    previous_revision: str
    plan_digest: str = Field(description="What approvals are bound to.")
    subject: str
    commits: list[str] = Field(description="The commits behind the changed objects, as `id author: subject`.")
    phase: RolloutPhase
    paused_for: PauseReason
    reason: str
    waits_for: str = Field(
        description="Whom or what it waits for; empty where it goes on by itself, or has ended."
    )
    cause: str = Field(description="Why it was begun, where it is not a new revision.")
    engine: str = Field(description="Who works on its waves, where the controller does not.")
    authors: list[str]
    risk: str
    risk_reasons: list[str]
    gates: list[Gate] = Field(description="Those before the wave that waits for approvals.")
    explained: list[Explained]
    confidence: str
    started_at: Moment
    detected_at: Moment
    restored_at: Moment
    ended_at: Moment
    restored_seconds: Seconds
    verified: Literal["", "True", "False", "Unknown"]
    verified_message: str
    waves: list[Wave]
    record: list[RecordedMoment] = Field(description=f"The latest first, {MOST_MOMENTS} at most.")
    ignored: list[str] = Field(description="What people wrote and nobody can read.")
    truncated: list[str] = Field(description="What the status could not hold.")


def rollout_summary(obj: Manifest, approvals: Sequence[Approval]) -> RolloutSummary:
    """For a list; one that cannot be read takes nobody's view of the others."""
    try:
        rollout: Rollout = load(obj)
    except BadInput as error:
        return _summary(Entry(obj["metadata"]["name"]), PolicyRolloutStatus(), problem=str(error))
    spec = rollout.spec
    return _summary(entry(rollout, approvals), rollout.status, spec.subject, len(spec.waves))


def _summary(
    found: Entry, status: PolicyRolloutStatus, subject: str = "", waves: int = 0, problem: str = ""
) -> RolloutSummary:
    more = {
        "subject": subject,
        "paused_for": status.paused_for,
        "wave": status.wave,
        "wave_count": waves,
        "namespace_count": len(found.namespaces),
        "problem": problem,
    }
    return RolloutSummary.model_validate({**fields_of(RolloutSummary, found), **more})


def rollout_answer(seen: Seen, gates: Sequence[GateState]) -> RolloutAnswer:
    """For itself."""
    view = seen.view
    special = {
        "waves": [_wave(wave) for wave in view.waves],
        "gates": gates,
        "explained": [Explained(title=title, text=text) for title, text in view.explained],
        "record": tuple(reversed(view.moments))[:MOST_MOMENTS],
    }
    return RolloutAnswer.model_validate({**fields_of(RolloutAnswer, view), **special})


def _wave(wave: WaveView) -> Wave:
    more = {"connections": wave.planned_total, "namespaces": [_cell(cell) for cell in wave.cells]}
    return Wave.model_validate({**fields_of(Wave, wave), **more})


def _cell(cell: Cell) -> WaveNamespace:
    counts = Changes.counted([item.action for item in cell.objects].count)
    return WaveNamespace.model_validate({**fields_of(WaveNamespace, cell), "changes": counts})
