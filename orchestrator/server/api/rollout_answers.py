"""A rollout, as the API tells it: in a list, and whole."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from orchestrator.errors import BadInput
from orchestrator.ports import Manifest
from orchestrator.record.summary import Entry, entry
from orchestrator.record.view import Cell, RolloutView, WaveState, WaveView
from orchestrator.rollout.gates.approvals import GateState
from orchestrator.rollout.resources.model import (
    MeasurementPhase,
    NamespacePhase,
    PauseReason,
    PolicyRolloutStatus,
    RolloutPhase,
)
from orchestrator.rollout.resources.resource import Approval, Rollout, load
from orchestrator.server.api.answers import Answer, Moment, Page, Seconds
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


class WaveNamespace(Answer):
    """A namespace of a wave."""

    namespace: str
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
        return _unreadable(obj, str(error))
    found, spec, status = entry(rollout, approvals), rollout.spec, rollout.status
    return RolloutSummary.model_validate(
        {
            **{name: getattr(found, name) for name in RolloutSummary.model_fields if hasattr(found, name)},
            "subject": spec.subject,
            "paused_for": status.paused_for,
            "wave": status.wave,
            "wave_count": len(spec.waves),
            "namespace_count": len(found.namespaces),
            "problem": "",
        }
    )


def _unreadable(obj: Manifest, problem: str) -> RolloutSummary:
    status = PolicyRolloutStatus()
    nothing = Entry(
        obj["metadata"]["name"],
        "",
        "",
        status.phase,
        (),
        (),
        (),
        "",
        "",
        None,
        None,
        None,
        0.0,
        None,
        None,
        None,
    )
    known = {name: getattr(nothing, name) for name in RolloutSummary.model_fields if hasattr(nothing, name)}
    counts = {"wave": 0, "wave_count": 0, "namespace_count": 0}
    return RolloutSummary.model_validate(
        {**known, **counts, "subject": "", "paused_for": "", "problem": problem}
    )


def rollout_answer(seen: Seen, gates: Sequence[GateState]) -> RolloutAnswer:
    """For itself."""
    view = seen.view
    special = {
        "waves": [_wave(wave) for wave in view.waves],
        "gates": [Gate.model_validate(gate) for gate in gates],
        "explained": [Explained(title=title, text=text) for title, text in view.explained],
        "record": [RecordedMoment.model_validate(m) for m in tuple(reversed(view.moments))[:MOST_MOMENTS]],
    }
    return RolloutAnswer.model_validate({**_same(view), **special})


def _same(view: RolloutView) -> dict[str, object]:
    """The fields that the answer has as the page has them."""
    return {name: getattr(view, name) for name in RolloutAnswer.model_fields if hasattr(view, name)}


def _wave(wave: WaveView) -> Wave:
    return Wave(
        number=wave.number,
        why=wave.why,
        state=wave.state,
        verdict=wave.verdict,
        reason=wave.reason,
        connections=wave.planned_total,
        namespaces=[_cell(cell) for cell in wave.cells],
    )


def _cell(cell: Cell) -> WaveNamespace:
    actions = [item.action for item in cell.objects]
    counts = Changes(
        create=actions.count("create"), update=actions.count("update"), delete=actions.count("delete")
    )
    return WaveNamespace(
        namespace=cell.namespace,
        phase=cell.phase,
        message=cell.message,
        applied_at=cell.applied_at,
        restored_at=cell.restored_at,
        restored_seconds=cell.restored_seconds,
        changes=counts,
    )
