"""A large rollout makes no endless page, and what went wrong is on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.record.view import Cell, Curve, Point, WaveView
from orchestrator.server.pages import page_bounds

T = datetime(2026, 3, 1, tzinfo=UTC)


def curve(number, phase="Successful"):
    point = Point(T + timedelta(seconds=number), phase, 1.0, None, None)
    return Curve("errors", "ratio", f"n{number}", (point,))


def test_what_went_wrong_is_drawn_before_what_did_not():
    curves = [*(curve(n) for n in range(200)), curve(200, "Failed")]
    found = page_bounds.foremost(curves)
    assert len(found) == page_bounds.MOST_CURVES and found[0].namespace == "n200"


def test_the_metric_of_the_worst_curve_comes_first():
    curves = [replace(curve(1, "Failed"), metric="requests"), curve(2), replace(curve(3), metric="requests")]
    found = page_bounds.by_metric(curves)
    assert [(metric, [c.namespace for c in mine]) for metric, mine in found] == [
        ("requests", ["n1", "n3"]),
        ("errors", ["n2"]),
    ]


def test_the_newest_numbers_are_in_the_table():
    found = page_bounds.numbers([curve(n) for n in range(page_bounds.MOST_NUMBERS + 5)])
    assert len(found) == page_bounds.MOST_NUMBERS
    assert found[0][1].time == T + timedelta(seconds=page_bounds.MOST_NUMBERS + 4)


def test_so_many_plans_are_on_the_page(view):
    cells = tuple(Cell(f"n{n}", 0, "Pending") for n in range(300))
    found = page_bounds.planned(view(waves=(WaveView(0, "", "ahead", "Pending", "", cells),)))
    assert len(found) == page_bounds.MOST_PLANNED


def test_the_wave_that_is_decided_on_is_planned_first(view):
    waves = tuple(WaveView(n, "", "ahead", "Pending", "", (Cell(f"n{n}", n, "Pending"),)) for n in range(3))
    found = page_bounds.planned(view(waves=waves), 1)
    assert [cell.namespace for _, cell in found] == ["n1", "n0", "n2"]
