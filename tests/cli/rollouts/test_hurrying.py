"""`--emergency` skips what the source allows, says what that is, and takes a reason and a right."""

from stage import Stage

from orchestrator.context import ROLLOUT
from orchestrator.rollout.resources import model as m

CLOSED = m.Window(schedule="0 0 29 2 *", duration_seconds=60)
EMERGENCY = m.Emergency(skip=["windows", "waves"])


def shut(**strategy):
    """A source whose window is closed, with three waves."""
    given = {"emergency": EMERGENCY, "windows": [CLOSED], "steps": [m.WaveStep(count=1)], **strategy}
    stage = Stage(**given)
    stage.cluster.writers |= {"mia"}  # who carries out with --here, or runs
    return stage


def test_a_plan_and_a_description_say_what_it_would_skip(cli):
    stage = shut()
    plan = cli(stage)("plan", "--source", "shop").out
    assert "--emergency would skip: windows of this source, now: outside the window" in " ".join(plan.split())
    assert "waves 1 and 2, which open at once (2 namespaces)" in " ".join(plan.split())
    assert cli(stage)("run", "--source", "shop").code == 3
    said = cli(stage)("describe", "shop").out
    assert "--emergency -m WHY` would skip: windows of this source" in " ".join(said.split())
    assert "emergencySkips" in cli(stage)("plan", "--source", "shop", "-o", "json").out
    allows_none = cli(Stage())("plan", "--source", "shop").out
    assert "--emergency" not in allows_none


def test_it_takes_a_reason_and_the_right_and_then_goes_on(cli):
    stage = shut()
    assert cli(stage)("run", "--source", "shop").code == 3
    joe = cli(stage, cluster=stage.cluster.acting_as("joe"))
    refused = joe("promote", "shop", "--emergency", "-m", "all is down")
    assert refused.code == 1 and "takes the right to the verb emergency" in refused.err
    mia = cli(stage, cluster=stage.cluster.acting_as("mia", "on-call"))
    assert mia("promote", "shop", "--emergency").code == 2
    assert mia("promote", "shop", "--emergency", "--reject", "-m", "both").code == 2
    done = mia("promote", "shop", "--emergency", "-m", "all is down", "--here")
    assert done.code == 0 and "Emergency" in done.out and done.out.rstrip().endswith("Succeeded")
    late = mia("promote", "shop", "--emergency", "-m", "all is down")
    assert late.code == 1 and "there is nothing to hurry" in late.err
    assert "EMERGENCY:" in cli(stage)("describe", "shop").out


def test_run_declares_one_as_it_begins(cli):
    stage = shut()
    mia = cli(stage, cluster=stage.cluster.acting_as("mia", "on-call"))
    assert mia("run", "--source", "shop", "-m", "all is down").code == 2
    assert mia("run", "--source", "shop", "--emergency").code == 2
    done = mia("run", "--source", "shop", "--emergency", "-m", "all is down")
    assert done.code == 0 and "EMERGENCY declared by mia" in done.err
    assert "all is down" in cli(stage)("report", "shop").out


def test_run_begins_nothing_where_the_source_allows_nothing(cli):
    stage = shut(emergency=m.Emergency())
    mia = cli(stage, cluster=stage.cluster.acting_as("mia", "on-call"))
    refused = mia("run", "--source", "shop", "--emergency", "-m", "all is down")
    assert refused.code == 1 and "nothing was begun" in refused.err
    assert stage.cluster.list(ROLLOUT) == []


def test_whoever_may_not_declare_what_they_began_is_told_what_stands_and_how_to_end_it(cli):
    stage = shut()
    mia = cli(stage, cluster=stage.cluster.acting_as("mia"))  # without the group that has the right
    refused = mia("run", "--source", "shop", "--emergency", "-m", "all is down")
    assert refused.code == 1 and "takes the right to the verb emergency" in refused.err
    assert "`netpol-canary abort shop-cccccccccc` ends it" in " ".join(refused.err.split())
    mia("abort", "shop-cccccccccc", "--here")
    assert [o["status"]["phase"] for o in stage.cluster.list(ROLLOUT)] == ["RolledBack"]
