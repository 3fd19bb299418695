"""What the live view shows of a rollout, at any size of a terminal."""

import io

import pytest
from hostile_texts import assert_harmless, hostile_stage
from rich.console import Console, Group
from stage import Stage, work

from orchestrator.cli.live.fitted_rows import EMPTY, Row, fitted
from orchestrator.cli.live.live_view import rows
from orchestrator.cli.live.sparkline import sparkline
from orchestrator.context import read
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"


def drawn(shown, width, height):
    out = io.StringIO()
    console = Console(file=out, width=width, height=height)
    console.print(Group(*fitted(shown, height)))
    return out.getvalue().splitlines()


def seen(stage, width=100, height=40):
    return drawn(rows(read(stage.context(), NAME), stage.clock.now(), width), width, height)


@pytest.fixture
def waiting():
    stage = Stage(gates=[m.Gate(wave=1, name="after the canary", approvals=1)])
    work(stage.context(), "one")
    return stage


def test_what_it_waits_for_stands_above_the_command_that_answers_it(waiting):
    lines = seen(waiting)
    assert lines[0].startswith(f"{NAME}  Paused (approval)")
    waits = next(n for n, line in enumerate(lines) if line.startswith("waits for wave 1"))
    assert lines[waits + 1 : waits + 3] == [
        f"  netpol-canary approve {NAME} -m WHY",
        f"  netpol-canary reject {NAME} -m WHY",
    ]
    text = "\n".join(lines)
    assert (
        "✔ 0" in text
        and "‖ 1" in text
        and "gate after the canary: 0 of" in text
        and "Pending: pay, web" in text
    )


def test_a_pause_by_a_person_and_a_rollback_have_commands_of_their_own(waiting):
    bad = Stage(good=False)
    work(bad.context(), "one")
    lines = seen(bad)
    assert "  netpol-canary retry shop" in lines and f"  netpol-canary explain {NAME}" in lines
    assert any(line.startswith("detected: ") for line in lines)
    assert any("probe web-pay: reach before, blocked after, expected reach" in line for line in lines)


@pytest.mark.parametrize("width", [1, 20, 60, 100, 250])
@pytest.mark.parametrize("height", [1, 5, 12, 24, 60])
def test_it_is_within_the_terminal_and_keeps_the_name(waiting, width, height):
    for stage in (waiting, hostile_stage()):
        if stage is not waiting:
            work(stage.context(), "one")
        lines = seen(stage, width, height)
        assert 0 < len(lines) <= height and max(map(len, lines)) <= width
        assert lines[0][: min(width - 1, 4)] == NAME[: min(width - 1, 4)]
        assert_harmless("\n".join(lines))


def test_at_a_small_height_the_command_outlives_the_timeline(waiting):
    lines = seen(waiting, 60, 8)
    assert f"  netpol-canary approve {NAME} -m WHY" in lines and not any("Promoted" in line for line in lines)


def test_what_is_left_out_of_a_list_is_counted_and_the_worst_stays():
    shown = [
        Row.of(0, "head"),
        Row.of(EMPTY),
        *(Row.of(20 + n, f"row {n}", listed=True) for n in range(3000)),
    ]
    lines = drawn(shown, 40, 10)
    assert lines[:2] == ["head", "row 0"] and lines[-1] == "  … 2992 more lines" and len(lines) == 10
    assert drawn([Row.of(0, "a"), Row.of(5, "b")], 40, 1) == ["a"]


def test_a_sparkline_goes_from_the_least_to_the_greatest_and_says_what_is_missing():
    assert (
        sparkline([1, None, 8]) == "▁·█"
        and sparkline([3, 3]) == "▁▁"
        and sparkline([None]) == "·"
        and sparkline([]) == ""
    )
