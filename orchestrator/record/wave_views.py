"""The waves of a rollout: where each of them stands, its namespaces and its evidence."""

from dataclasses import replace

from orchestrator.record.diffs import object_diffs
from orchestrator.record.evidence import attempts, curves, links, planned_links
from orchestrator.record.timeline import marks
from orchestrator.record.view import Cell, WaveState, WaveView
from orchestrator.rollout.next import State
from orchestrator.rollout.order.waves import part_of
from orchestrator.rollout.resources.model import PolicyRolloutStatus, WaveAnalysisStatus, WaveNamespace
from orchestrator.wording import many

ALARMING = ("Failed", "Error", "Inconclusive")
BACK = ("RollingBack", "RolledBack", "Failed")


def wave(state: State, number: int, diffs: bool = True) -> WaveView:
    """One wave, also one that has not begun."""
    planned = state.rollout.spec.waves[number]
    analysis = state.analyses.get(number)
    cells = tuple(_cell(state, place, number, diffs) for place in planned.namespaces)
    changing = planned_links(e for e in state.rollout.spec.edges if e.wave == number)
    ahead = WaveView(
        number,
        planned.why,
        standing(state, number),
        "Pending",
        "",
        cells,
        planned=changing,
        planned_total=planned.connections,
    )
    if analysis is None:
        lead = state.rollout.status.led_by(number)
        note = f"opened by an emergency together with wave {lead}, which has the evidence of both"
        return ahead if lead == number else replace(ahead, notes=(note,))
    spec, status = analysis.spec, analysis.status
    return replace(
        ahead,
        verdict=status.phase,
        reason=status.said,
        watched=tuple(spec.watched),
        control_group=tuple(spec.control_group),
        curves=curves(state.rollout.spec.strategy.analysis, status),
        marks=marks(state, number),
        attempts=attempts(spec, status),
        links=links(spec, status),
        notes=(*spec.notes, *_watched(status), *left_out(status)),
        alarms=tuple(status.alarms),
        suspects=tuple(status.suspects),
    )


def left_out(status: WaveAnalysisStatus | PolicyRolloutStatus) -> tuple[str, ...]:
    """What the status has no room for."""
    return tuple(f"{c.count} more {c.field} are not kept" for c in status.truncated)


def _watched(status: WaveAnalysisStatus) -> tuple[str, ...]:
    """What was seen of it after its verdict, while the next wave or a person's decision was waited for."""
    seen = status.watch
    if not seen.checks:
        return ()
    checks = many(seen.checks, "check")
    since = "it was promoted" if status.phase == "Successful" else "the wave's verdict"
    return (f"{checks} since {since}; the last: {seen.phase}, {seen.reason}",)


def standing(state: State, number: int) -> WaveState:
    """Where a wave stands. `bad` is one that brought the rollback about; good ones rolled back with it are `undone`."""
    status = state.rollout.status
    analysis = state.analyses.get(status.led_by(number))
    verdict = analysis.status.phase if analysis else "Pending"
    if number >= status.waves_started:
        waiting = status.phase == "Paused" and number == status.wave
        return "waiting" if waiting else "ahead"
    if status.phase in BACK:
        return "bad" if verdict in ALARMING else "undone"
    if verdict == "Successful":
        return "good"
    if status.phase == "Paused" and number in (*status.current, status.wave - 1):
        return "waiting"
    return "bad" if verdict in ALARMING else "running"


def _cell(state: State, place: WaveNamespace, number: int, diffs: bool) -> Cell:
    item, name, of = state.namespaces.get(place.place), place.name, part_of(place)
    if item is None:
        return Cell(name, number, "Pending", of=of, place=place.place)
    status = item.status
    return Cell(
        name,
        number,
        status.phase,
        status.message,
        status.applied_at,
        status.restored_at,
        status.restored_seconds,
        object_diffs(item.spec, diffs),
        of,
        place.place,
    )
