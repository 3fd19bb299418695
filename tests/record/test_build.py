"""A view tells all of a rollout: where each wave stands, what it was judged by, why it was rolled back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from stage import OWN, Stage, work

from orchestrator.context import ROLLOUT, read
from orchestrator.record.build import view
from orchestrator.record.timeline import folded
from orchestrator.record.view import Moment
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_a_promoted_rollout_is_good_wave_by_wave(good):
    assert good.phase == "Succeeded"
    assert good.explained == () and good.waits_for == "" and good.confidence == ""
    assert [w.state for w in good.waves] == ["good"] * 3
    assert [w.verdict for w in good.waves] == ["Successful"] * 3
    assert {c.phase for w in good.waves for c in w.cells} == {"Applied"}
    assert {k.kind for k in good.waves[0].marks} == {"applied", "promoted"}
    assert {k.kind for k in good.waves[2].marks} == {"applied"}
    assert good.ended_at == good.moments[-1].time and good.restored_seconds is None
    assert all(a.good for w in good.waves for a in w.attempts)


def test_a_rollback_says_why_and_what_was_never_begun(bad):
    assert bad.phase == "RolledBack" and bad.confidence == "likely" and bad.verified == "True"
    assert [title for title, _ in bad.explained] == ["detected", "connections", "cause", "confidence", "now"]
    assert [w.state for w in bad.waves] == ["bad", "ahead"]
    assert [c.phase for w in bad.waves for c in w.cells] == ["Restored", "Pending"]
    assert bad.commits[0].endswith("Let callers of payments and web reach the HTTP port only")
    kinds = [m.kind for m in bad.moments]
    assert kinds == ["Planned", "WaveStarted", "Applied", "Measured", "Regression", "Restored", "RolledBack"]
    assert [m.wave for m in bad.moments][3:6] == [0, 0, 0]


def test_curves_that_went_wrong_come_first_with_their_limits(bad):
    first, second, *others = bad.waves[0].curves
    assert (first.metric, first.namespace, first.kind) == ("client-errors", "checkout", "ratio")
    assert first.maximum == 0.02 and first.max_increase == 0.01 and "outcome" in first.query
    assert first.points[0].value > 0.1 and first.points[0].phase == "Failed"
    assert (second.metric, second.namespace, second.min_ratio) == ("requests", "payments", 0.6)
    assert all(c.points[-1].phase == "Successful" for c in others)
    assert [k.kind for k in bad.waves[0].marks] == ["applied", "detected", "restored"]


def test_connections_and_objects_name_rules_files_and_commits(bad):
    (link,) = bad.waves[0].links
    assert (link.source, link.destination) == ("checkout/checkout-0[Pod]", "payments/payments-0[Pod]")
    assert link.change == "cut" and any("payments/callers.yaml:1" in b for b in link.because)
    (obj,) = bad.waves[0].cells[0].objects
    assert (obj.object, obj.action, obj.file) == (
        "NetworkPolicy/callers",
        "update",
        "payments/callers.yaml:12",
    )
    assert "+          kubernetes.io/metadata.name: chekout" in obj.diff.splitlines()


def test_diffs_are_left_out_where_nobody_reads_them(played, bad):
    found = view(played["breaks-checkout"], NOW, diffs=False)
    (obj,) = found.waves[0].cells[0].objects
    assert obj.diff == "" and replace(bad.waves[0].cells[0].objects[0], diff="") == obj


def test_a_gate_says_who_is_waited_for_and_a_decision_is_a_moment():
    stage = Stage(gates=[m.Gate(wave=0, groups=["release-engineers"])])
    ctx = stage.context()
    state = work(ctx, "one")
    waiting = view(state, stage.clock.now())
    assert "0 of 2 approvals" in waiting.waits_for
    assert waiting.waits_for.count("from release-engineers") == 1
    assert waiting.waves[0].state == "waiting" and waiting.waves[1].state == "ahead"
    spec = m.RolloutApprovalSpec(
        rollout=waiting.name,
        wave=0,
        plan_digest=waiting.plan_digest,
        user="eve",
        groups=["release-engineers"],
        decision="reject",
        comment="not on a Friday",
    )
    stage.cluster.create(new("RolloutApproval", "no", OWN, spec))
    work(ctx, "one")
    after = view(read(ctx, waiting.name), stage.clock.now())
    decided = [k for k in after.moments if k.kind == "Decided"]
    assert [(k.text, k.actor, k.wave) for k in decided] == [
        ("wave 0 rejected by eve: not on a Friday", "eve", 0)
    ]
    assert after.phase == "RolledBack" and after.explained[0][0] == "reason"
    assert "not on a Friday" in after.explained[0][1]


def test_waves_that_were_good_are_undone_by_a_later_rollback():
    stage = Stage(steps=[m.WaveStep(count=1)])
    ctx = stage.context()
    state = work(ctx, "one")
    assert [w.state for w in view(state, NOW).waves] == ["good"] * 3
    obj = stage.cluster.get(ROLLOUT, state.rollout.name, OWN)
    notes = {"netpol-canary.dev/request": "rollback/1/ann"}
    stage.cluster.acting_as("ann").replace({**obj, "metadata": {**obj["metadata"], "annotations": notes}})
    found = view(work(ctx, "one"), NOW)
    assert found.phase == "RolledBack" and [w.state for w in found.waves] == ["undone"] * 3
    assert "rollback by ann" in dict(found.explained)["reason"]


@pytest.mark.parametrize("paused", ["drift", "user", "inconclusive", "window"])
def test_every_pause_says_whom_it_waits_for(played, paused):
    state = played["good-change"]
    status = state.rollout.status.model_copy(update={"phase": "Paused", "paused_for": paused})
    stopped = replace(state, rollout=replace(state.rollout, status=status))
    assert view(stopped, NOW).waits_for


def test_measurements_that_say_the_same_are_one_line_until_something_else_happens():
    def at(second, kind, text, wave=0):
        return Moment(NOW + timedelta(seconds=second), kind, text, wave=wave)

    good = "wave 0 watched: 9 measurements good"
    given = [at(n, "Measured", good) for n in range(3)]
    given += [at(3, "PausedByUser", ""), at(4, "Measured", good), at(5, "Measured", "8 good, 1 not")]
    given += [at(6, "Decided", "yes"), at(7, "Decided", "yes")]
    found = list(folded(given))
    assert [m.text for m in found][:2] == [f"{good}, 3 times until 10:00:02", ""]
    assert [m.text for m in found][2:] == [good, "8 good, 1 not", "yes", "yes"]
    assert [m.time.second for m in found] == [0, 3, 4, 5, 6, 7] and list(folded([])) == []
