"""What `run` would refuse, `plan` says before: a source that is suspended, a revision that is blocked, or was rolled back."""

from stage import Stage


def test_a_held_revision_and_a_suspended_source_begin_nothing(cli):
    netpol = cli(stage := Stage(good=False))
    assert netpol("run", "--source", "shop").code == 1
    said = "no rollout begins now: cccccccccc is blocked: "
    assert said in netpol("plan", "--source", "shop").out
    again = netpol("run", "--source", "shop")
    assert again.code == 1 and "`netpol-canary retry` releases it" in again.err
    stage.change(suspend=True)
    assert "no rollout begins now: the source shop is suspended" in netpol("plan", "--source", "shop").out


def test_where_the_verified_revision_was_rolled_back_a_run_leaves_it_and_says_so(cli):
    netpol = cli(stage := Stage())
    assert netpol("run", "--source", "shop").code == 0
    stage.namespace("fresh")
    stage.prober.good = False
    assert netpol("run", "--source", "shop").code == 1
    stage.prober.good = True
    said = "cccccccccc is in force, but not in fresh: rolled back by shop-cccccccccc-2; a new revision, or `kubectl"
    assert f"left out: {said}" in netpol("plan", "--source", "shop").out
    again = netpol("run", "--source", "shop")
    assert again.code == 1 and said in again.err and again.err.count("\n") == 1
