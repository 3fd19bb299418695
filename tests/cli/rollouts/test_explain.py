"""`explain` says in five lines why a rollout was rolled back, and what was predicted, probed and seen."""

import json

from stage import Stage

from orchestrator.ports import ProbeResult
from orchestrator.rollout.resources import model as m


class Deaf:
    """A prober to which nothing changes: what should be cut still connects."""

    def run(self, probes):
        return [ProbeResult(p, True) for p in probes]

    def hold(self, probes, key):
        self.key = key

    def held(self, key):
        return []

    def release(self, key):
        self.key = ""


def stage(good):
    found = Stage(good)
    for space in ("web", "pay", "cart"):
        found.pod(space)
    return found


def test_five_lines_and_a_row_for_each_connection_of_the_diff(cli):
    netpol = cli(stage(good=False))
    assert netpol("run", "--source", "shop").code == 1
    told = netpol("explain", "shop")
    assert told.code == 0
    first = told.out.splitlines()[0]
    assert "was rolled back; wave 0 Failed (" in first and "; by " in first
    titles = [line.split(":")[0].strip() for line in told.out.splitlines()[1:6]]
    assert titles == ["detected", "connections", "cause", "confidence", "now"]
    assert "expected reach, seen blocked" in told.out and "restored in" in told.out
    assert "PREDICTED" in told.out and "cart/a[Pod]" in told.out
    found = json.loads(netpol("explain", "shop", "-o", "json").out)
    assert found["verdict"] == "Failed" and found["edges"] and found["confidence"] in ("certain", "likely")


def test_packets_that_contradict_the_analysis_pause_with_an_alarm(cli):
    found = stage(good=True)
    found.prober = Deaf()
    netpol = cli(found)
    assert netpol("run", "--source", "shop").code == 3
    told = netpol("explain", "shop").out
    assert "Paused for inconclusive" in told and "alarm:" in told
    assert "should be cut by the change and still connects" in told
    assert "alarm" in netpol("describe", "shop").out


def test_where_nothing_was_watched_yet_it_says_so(cli):
    netpol = cli(Stage(gates=[m.Gate(wave=0)]))
    assert netpol("run", "--source", "shop").code == 3
    assert "is Paused: no wave was watched yet (wave 0: 0 of 2 approvals" in netpol("explain", "shop").out
    assert netpol("explain", "nothing").code == 2


def test_what_holds_it_and_until_when_is_the_first_line_however_long_the_reason_is(cli):
    netpol = cli(Stage())
    netpol("freeze", "shop", "-m", f"year-end closing {'of the books ' * 30}", "--for", "36h")
    assert netpol("run", "--source", "shop").code == 3
    first = netpol("explain", "shop").out.splitlines()[0]
    assert "is Paused" in first
    assert "frozen by eve" in first and first.endswith("; until 2026-01-06 21:00 UTC)")
    assert "by netpol-canary" not in first


def test_a_window_is_what_holds_it(cli):
    netpol = cli(Stage(windows=[m.Window(schedule="0 22 * * *", duration_seconds=3600)]))
    assert netpol("run", "--source", "shop").code == 3
    first = netpol("explain", "shop").out.splitlines()[0]
    assert "is Paused" in first and "; until 2026-01-05 22:00 UTC)" in first and "0 22 * * *" in first


def test_what_is_over_is_in_the_past_tense(cli):
    netpol = cli(Stage())
    assert netpol("run", "--source", "shop").code == 0
    assert (
        netpol("explain", "shop")
        .out.splitlines()[0]
        .startswith("shop-cccccccccc succeeded; wave 1 Successful")
    )
    netpol = cli(Stage(gates=[m.Gate(wave=0)]))
    netpol("run", "--source", "shop")
    netpol("reject", "shop", "-m", "not in this quarter")
    netpol("run", "--source", "shop")
    first = netpol("explain", "shop").out.splitlines()[0]
    assert "was rolled back: no wave was watched (wave 0 rejected by eve: not in this quarter)" in first


def test_describe_says_once_why_it_waits_and_nothing_of_a_way_back_that_wrote_nothing(cli):
    netpol = cli(Stage(gates=[m.Gate(wave=0)]))
    netpol("run", "--source", "shop")
    told = netpol("describe", "shop").out
    assert "Waits for:        wave 0: 0 of 2 approvals" in told and "\nReason:" not in told
    assert "2 missing, each good for 1 day\n" in told
    netpol("reject", "shop", "-m", "not in this quarter")
    netpol("run", "--source", "shop")
    told = netpol("describe", "shop").out
    assert "Reason:           wave 0 rejected by eve" in told and "Rolled back" not in told
