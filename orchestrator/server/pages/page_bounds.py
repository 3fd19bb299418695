"""How much of a large rollout one page shows; what went wrong comes first."""

from collections.abc import Sequence

from orchestrator.record.view import Attempt, Cell, Curve, Point, RolloutView, WaveView

MOST_CURVES = 60
MOST_NUMBERS = 500
MOST_PLANNED = 100


def foremost(curves: Sequence[Curve]) -> list[Curve]:
    """The curves of a wave that are drawn."""
    return sorted(curves, key=lambda c: not c.points or c.points[-1].phase == "Successful")[:MOST_CURVES]


def by_metric(curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    """The curves of each metric; the metric of the first curve first."""
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        found.setdefault(curve.metric, []).append(curve)
    return list(found.items())


def wrong_first(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The probes, those whose answer was not the expected one before all others."""
    return sorted(attempts, key=lambda attempt: attempt.good is not False)


def numbers(curves: Sequence[Curve]) -> list[tuple[Curve, Point]]:
    """The rows of the table of measurements."""
    rows = [(curve, point) for curve in curves for point in curve.points]
    return sorted(rows, key=lambda row: row[1].time, reverse=True)[:MOST_NUMBERS]


def planned(view: RolloutView, first: int = 0) -> list[tuple[WaveView, Cell]]:
    """The namespaces whose diff is on the page, those of the wave `first` before all others."""
    waves = sorted(view.waves, key=lambda wave: wave.number != first)
    return [(wave, cell) for wave in waves for cell in wave.cells][:MOST_PLANNED]
