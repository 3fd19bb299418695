"""A probe's answer is judged by its baseline, by the wave's controls and by what the analysis says."""

import pytest

from orchestrator.analysis.probe_answers import cannot_start, judged
from orchestrator.analysis.verdict import verdict
from orchestrator.rollout.resources.model import Analysis, ProbeRecord, WaveProbe


def probe(name, role="declared", expect="reach", before="unknown", **more):
    ends = {"source": "a/a", "destination": "b/b", "port": 80, **more}
    return WaveProbe(name=name, role=role, expect=expect, before=before, **ends)


def answered(name, before, after):
    """`before` and `after` are what was seen then."""
    return [
        ProbeRecord(probe=name, when="baseline", observed=before, expected="reach"),
        ProbeRecord(probe=name, when="after", observed=after, expected="reach", message="timed out"),
    ]


def phase(found):
    return verdict(Analysis(count=1), [], found, 1, probes=True)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("reach", "reach", "Successful"),
        ("reach", "blocked", "Failed"),
        ("blocked", "blocked", "Inconclusive"),
        ("reach", "unknown", "Inconclusive"),
    ],
)
def test_a_declared_probe_is_judged_by_its_own_answer_before_the_change(before, after, wanted):
    found = judged([probe("p")], answered("p", before, after))
    assert phase(found)[0] == wanted


def test_a_probe_that_was_never_tried_proves_nothing():
    assert phase(judged([probe("p")], []))[0] == "Inconclusive"


@pytest.mark.parametrize(
    ("role", "before", "after"),
    [
        ("mustPass", "reach", "blocked"),
        ("mustNotPass", "blocked", "reach"),
        ("mustNotPass", "reach", "reach"),
        ("mustPass", "blocked", "blocked"),
    ],
)
def test_a_control_that_is_not_as_it_should_be_takes_the_proof_away(role, before, after):
    control = probe("c", role, "reach" if role == "mustPass" else "blocked", before="reach", port=81)
    records = [*answered("p", "reach", "blocked"), *answered("c", before, after)]
    found = judged([probe("p"), control], records)
    assert not found.failed and found.alarms
    assert phase(found)[0] == "Inconclusive"


def test_a_must_not_control_that_connects_says_that_nothing_is_enforced():
    control = probe("c", "mustNotPass", "blocked", before="blocked")
    found = judged([control], answered("c", "blocked", "reach"))
    assert "nothing is enforced there" in found.alarms[0] and "since the change" in found.alarms[0]


def test_controls_that_stand_leave_the_proof():
    control = probe("c", "mustNotPass", "blocked", before="blocked", port=81)
    records = [*answered("p", "reach", "blocked"), *answered("c", "blocked", "blocked")]
    assert phase(judged([probe("p"), control], records))[0] == "Failed"


@pytest.mark.parametrize("check", ["dns", "connect"])
def test_an_observer_that_no_longer_connects_is_named_as_one(check):
    found = judged([probe("o", "observer", before="reach", check=check)], answered("o", "reach", "blocked"))
    what, said = phase(found)
    assert what == "Failed" and said.startswith("the change cuts off the observer: ")
    assert ("name resolution" if check == "dns" else "the metrics scrape") in said


def test_an_edge_that_should_be_cut_and_connects_is_an_alarm_and_no_verdict():
    edge = probe("e", "edge", "blocked", before="reach")
    found = judged([edge], answered("e", "reach", "reach"))
    assert phase(found)[0] == "Inconclusive"
    assert "should be cut by the change and still connects" in found.alarms[0]
    assert phase(judged([edge], answered("e", "reach", "blocked")))[0] == "Successful"


def test_an_edge_that_should_be_opened_and_is_not_proves_nothing_whether_somebody_listens_or_not():
    edge = probe("e", "edge", "reach", before="blocked")
    alone = judged([edge], answered("e", "blocked", "blocked"))
    assert not alone.failed and not alone.agreed
    assert alone.unclear == (
        "a/a to b/b:80/TCP should be opened by the change, and nobody is seen to listen there",
    )
    other = probe("s", "sample", "reach", before="reach")
    records = [*answered("e", "blocked", "blocked"), *answered("s", "reach", "reach")]
    found = judged([edge, other], records)
    assert phase(found)[0] == "Inconclusive" and "should be opened" in found.alarms[0]


def test_an_edge_on_which_nobody_listened_before_either_says_nothing():
    edge = probe("e", "sample", "reach", before="reach")
    found = judged([edge], answered("e", "blocked", "blocked"))
    assert not found.failed and not found.unclear and not found.agreed


@pytest.mark.parametrize("role", ["sample", "edge"])
def test_an_allowed_connection_that_breaks_is_a_regression(role):
    found = judged([probe("e", role, "reach", before="reach")], answered("e", "reach", "blocked"))
    assert phase(found)[0] == "Failed"


@pytest.mark.parametrize(("expect", "wanted"), [("reach", "Failed"), ("blocked", "Successful")])
def test_a_long_lived_connection_that_breaks_counts_where_it_should_stay(expect, wanted):
    edge = probe("e", "edge", expect, before="reach")
    held = ProbeRecord(probe="e", when="longLived", observed="blocked", expected="reach", message="reset")
    assert phase(judged([edge], [*answered("e", "reach", expect), held]))[0] == wanted


@pytest.mark.parametrize("role", ["edge", "sample", "observer", "declared", "mustPass"])
def test_what_was_not_answered_before_the_change_proves_nothing_after_it(role):
    wanted = probe("p", role, "reach", before="unknown" if role == "declared" else "reach")
    assert phase(judged([wanted], answered("p", "unknown", "blocked")))[0] != "Successful"


def test_connections_of_the_diff_that_gave_no_answer_keep_a_wave_from_being_good():
    probes = [probe("e", "edge", "reach", before="blocked"), probe("s", "sample", before="reach", port=81)]
    records = [*answered("e", "blocked", "unknown"), *answered("s", "reach", "reach")]
    assert phase(judged(probes, records))[0] == "Inconclusive"


def test_a_denied_connection_that_was_open_before_the_change_is_an_alarm():
    edge = probe("e", "edge", "reach", before="blocked")
    assert "though it was denied" in judged([edge], answered("e", "reach", "reach")).alarms[0]


def test_probes_that_ran_before_the_change_and_cannot_any_more_are_said_to_be_so():
    probes = [probe("p"), probe("q", port=81)]
    lost = [*answered("p", "reach", "unknown"), *answered("q", "blocked", "unknown")]
    assert cannot_start(probes, lost) == "no probe could be run any more: timed out"
    said = cannot_start(probes, [*answered("p", "reach", "reach"), *answered("q", "blocked", "unknown")])
    assert said == ""
    assert cannot_start(probes, [*answered("p", "unknown", "unknown")]) == ""
