"""A wave in the live view: its namespaces, metrics with a sparkline each, probes, alarms."""

from collections.abc import Iterator, Sequence

from orchestrator.cli.live.fitted_rows import Row
from orchestrator.cli.live.sparkline import sparkline
from orchestrator.cli.printing import cut, fitted
from orchestrator.cli.terminal import PHASES
from orchestrator.record.curve_bounds import usable
from orchestrator.record.drawings.axes import value_text
from orchestrator.record.evidence import bad
from orchestrator.record.report.tables import limits
from orchestrator.record.view import Attempt, Curve, WaveState, WaveView
from orchestrator.wording import agreeing, many

STATES: dict[WaveState, tuple[str, str]] = {
    "ahead": ("○", "dim"),
    "waiting": ("‖", "bold yellow"),
    "running": ("▶", "bold blue"),
    "good": ("✔", "green"),
    "bad": ("✘", "bold red"),
    "undone": ("↺", "yellow"),
}
SAID_BY_VERDICT = ("running", "good", "bad")
INDENT = 6
BARS_WIDE, BARS_NARROW, NARROW = 24, 10, 80  # characters


def heading(wave: WaveView, rank: int, width: int) -> Row:
    """One line: state, number, why, and its namespaces by phase as far as there is room."""
    mark, style = STATES[wave.state]
    title = f"{mark} {wave.number} {wave.why}"
    verdict = "" if wave.verdict == "Pending" else f"  {wave.verdict}"
    state = "" if verdict and wave.state in SAID_BY_VERDICT else f"  {wave.state}"
    left = width - len(title) - len(state) - len(verdict) - 2
    spaces = (f"  {_namespaces(wave, left)}", "dim")
    return Row.of(rank, (title, style), state, (verdict, PHASES.get(wave.verdict, "")), spaces, listed=True)


def _namespaces(wave: WaveView, width: int) -> str:
    """`Applied: cart, pay; Pending: web`, or as many as there is room for and how many there are beyond."""
    phases: dict[str, list[str]] = {}
    for cell in wave.cells:
        phases.setdefault(cell.phase, []).append(cell.title)
    whole = "; ".join(f"{phase}: {', '.join(names)}" for phase, names in phases.items())
    if len(whole) <= width:
        return whole
    counted = ", ".join(f"{len(names)} {phase}" for phase, names in phases.items())
    return counted if len(phases) > 1 else f"{many(len(wave.cells), 'namespace')}, {next(iter(phases), '')}"


def rows_of(wave: WaveView, width: int) -> Iterator[Row]:
    """What is known of it, the worst first."""
    for cell in wave.cells:
        if cell.message:
            yield Row.of(
                15,
                f"{cell.title}: ",
                (cell.phase, PHASES.get(cell.phase, "")),
                f" {cell.message}",
                indent=INDENT,
            )
    for alarm in wave.alarms:
        yield Row.of(9, ("alarm ", "bold red"), alarm, indent=INDENT)
    yield from _metrics(wave.curves, width)
    yield from _probes(wave.attempts)
    for note in wave.notes:
        yield Row.of(50, (f"note: {note}", "dim"), indent=INDENT)


def _metrics(curves: Sequence[Curve], width: int) -> Iterator[Row]:
    cells = [_cells(curve, width >= NARROW) for curve in curves if curve.points]
    if not cells:
        return
    widths = fitted(tuple(max(len(c[i]) for c in cells) for i in range(len(cells[0]))), width - INDENT)
    for curve, texts in zip((c for c in curves if c.points), cells, strict=True):
        phase = curve.points[-1].phase
        verdict, *others = [cut(text, w).ljust(w) for text, w in zip(texts, widths, strict=False)]
        line = "   ".join(["", *others]).rstrip()
        coloured = (verdict, PHASES.get(phase, ""))
        yield Row.of(12 if bad(curve) else 25, coloured, line, indent=INDENT, listed=True)


def _cells(curve: Curve, wide: bool) -> tuple[str, ...]:
    """The verdict, whose and what, the last value, how it came there, and where there is room what it is held against."""
    last = curve.points[-1]
    value = usable(last.value)
    shown = "-" if value is None else value_text(value, curve.kind)
    drawn = sparkline(
        [usable(point.value) for point in curve.points[-(BARS_WIDE if wide else BARS_NARROW) :]]
    )
    columns = (last.phase, curve.metric, curve.namespace, shown, drawn)
    if not wide:
        return columns
    before = usable(last.baseline)
    past = [f"before {value_text(before, curve.kind)}"] if before is not None else []
    more = "; ".join([*past, *limits(curve), *([] if curve.decides else ["does not decide"])])
    return (*columns, more)


def _probes(attempts: Sequence[Attempt]) -> Iterator[Row]:
    """How many are as they should be, and each that is not."""
    if not attempts:
        return
    wrong = [a for a in attempts if a.good is False]
    unknown = sum(a.good is None for a in attempts)
    right = len(attempts) - len(wrong) - unknown
    silent = f", {unknown} without an answer" if unknown else ""
    said = f"{right} of {many(len(attempts), 'probe')} {agreeing(right, 'is', 'are')} as expected{silent}"
    if unknown == len(attempts):
        said = f"{many(unknown, 'probe')} without an answer"
    yield Row.of(14, (said, "red" if wrong else "green" if not unknown else ""), indent=INDENT)
    for attempt in wrong:
        told = f": {attempt.before} before, {attempt.after} after, expected {attempt.expected}"
        yield Row.of(13, (f"probe {attempt.name}", "bold red"), told, indent=INDENT)
