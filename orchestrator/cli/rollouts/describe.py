"""`describe`: a rollout in the terminal, from the same view that pages and reports draw from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from orchestrator.cli import edge, wiring
from orchestrator.cli.app import Target
from orchestrator.cli.rollouts.gates import ahead
from orchestrator.cli.rollouts.progress import line
from orchestrator.context import freezes, read
from orchestrator.operations.requests import find_rollout
from orchestrator.record.build import view
from orchestrator.record.report.tables import facts
from orchestrator.record.view import Attempt, RolloutView, WaveView
from orchestrator.rollout.gates.opening import left_to_skip
from orchestrator.rollout.notifications.connection_words import listed
from orchestrator.rollout.outbox import waiting
from orchestrator.rollout.resources.model import TERMINAL, Condition
from orchestrator.rollout.resources.resource import Freeze
from orchestrator.rollout.state import State
from orchestrator.wording import agreeing, many

QUIET = ("edge", "sample", "observer")
MOST_NAMED = 5


def describe(target: Target, name: str) -> int:
    """A rollout: facts, waves, evidence, timeline, conditions."""
    ctx = wiring.connected(target)
    state = read(ctx, find_rollout(ctx, name).name)
    now = ctx.clock.now()
    shown(view(state, now, diffs=False), state.rollout.status.conditions, ahead(state, now))
    if skipped := offers(state, freezes(ctx), now):
        print(
            f"\n`netpol-canary promote {state.rollout.name} --emergency -m WHY` would skip: {'; '.join(skipped)}"
        )
    left = waiting(state.rollout.status.outbox)
    if left:
        print(f"\nStill to be sent: {left}")
    return 0


def offers(state: State, standing: Sequence[Freeze], now: datetime) -> list[str]:
    """What an emergency would skip, where one may be declared."""
    rollout = state.rollout
    if rollout.status.phase in (*TERMINAL, "RollingBack") or rollout.status.emergency is not None:
        return []
    return left_to_skip(rollout, standing, now)


def shown(
    found: RolloutView, conditions: Iterable[Condition] = (), gates: Mapping[int, Sequence[str]] = {}
) -> None:
    """Print it; the view has no conditions, since they say the phase once more, for machines.

    `gates` are lines of those that are still ahead, by wave.
    """
    console = edge.console()
    for title, text in [("Rollout", found.name), *facts(found)]:
        console.print(f"[bold]{title + ':':<18}[/bold]", end="")
        console.print(text.replace("\n", f"\n{'':<18}"), markup=False)
    for boundary in found.boundaries:
        console.print(f"{'Between waves:':<18}{boundary}", markup=False)
    console.print("\n[bold]Waves[/bold]")
    for wave in found.waves:
        verdict = wave.verdict if _begun(wave) else "not begun"
        console.print(f"  {wave.number}  {wave.why}: {wave.state}, {verdict}", markup=False)
        for said in (*_wave(wave), *gates.get(wave.number, ())):
            console.print(Text("       ").append(said))
    console.print("\n[bold]Timeline[/bold]")
    for moment in found.moments:
        console.print(line(moment, found.moments[0].time))
    console.print("\n[bold]Conditions[/bold]")
    for condition in conditions:
        said, more, _ = condition.message.partition("\n")
        text = f"  {condition.type}={condition.status} {condition.reason} {said}{' …' if more else ''}"
        console.print(text.rstrip(), markup=False)


def _begun(wave: WaveView) -> bool:
    return bool(wave.watched or wave.verdict != "Pending")


def _wave(wave: WaveView) -> Iterator[str | Text]:
    for cell in wave.cells:
        yield f"{cell.title}: {cell.phase}"
    if wave.planned_total:
        total = wave.planned_total
        said = f"{many(total, 'connection')} {agreeing(total, 'changes', 'change')}"
        yield f"{said} by the plan, the worst first:"
        for text in listed(wave.planned, total, MOST_NAMED):
            yield f"  {text}"
    if not _begun(wave):
        return
    sides = f"watched {', '.join(wave.watched) or '-'}; control group {', '.join(wave.control_group) or '-'}"
    yield sides
    for curve in wave.curves:
        last = curve.points[-1]
        yield f"{last.phase}: {last.message}"
        if last.phase not in ("Successful", "Pending"):
            yield f"  query: {curve.query}"
    yield from _probes(wave.attempts)
    for alarm in wave.alarms:
        yield Text.assemble(("alarm", "bold red"), " ", alarm)
    for note in wave.notes:
        yield f"note: {note}"


def _probes(attempts: Sequence[Attempt]) -> Iterator[str]:
    """Declared probes and controls one by one; of the others how many are as expected, and those that are not."""
    quiet = [a for a in attempts if a.role in QUIET and a.after == a.expected]
    for attempt in (a for a in attempts if a not in quiet):
        told = f"{attempt.before} before, {attempt.after} after, expected {attempt.expected}"
        yield f"probe {attempt.name}: {told}"
    if quiet:
        said = f"{many(len(quiet), 'more probe')} of changed and unchanged connections"
        yield f"{said} {agreeing(len(quiet), 'is', 'are')} as expected"
    held = [a for a in attempts if a.long_lived is not None]
    if held:
        cut = [a.name for a in held if a.long_lived == "blocked"]
        named = f": {', '.join(cut[:MOST_NAMED])}" if cut else ""
        said = f"{many(len(held), 'connection')} {agreeing(len(held), 'was', 'were')} kept open"
        yield f"{said}, {len(cut)} of them broke{named}"
