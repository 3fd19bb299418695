"""A rollout that bears the name of one that was deleted: nothing of the earlier one is shown as its own."""

import pytest
from stage import OWN, Stage, work

from orchestrator.context import ANALYSIS, APPROVAL, NAMESPACE_ROLLOUT, ROLLOUT, read
from orchestrator.record.build import view
from orchestrator.record.timeline import moments
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

NAME = "shop-cccccccccc"
OLD = ("Restored", "Measured", "Decided", "Applied")


def approved(scene, rollout):
    digest = rollout.spec.plan_digest
    spec = m.RolloutApprovalSpec(rollout=NAME, wave=1, plan_digest=digest, user="eve", decision="approve")
    scene.cluster.create(new("RolloutApproval", f"{NAME}-1", OWN, spec, owner=rollout))


def planned(scene):
    waves = [
        m.Wave(namespaces=[m.WaveNamespace(name=n, before="sha256:" + "0" * 64, after="sha256:" + "0" * 64)])
        for n in ("cart", "pay", "web")
    ]
    return m.PolicyRolloutSpec(
        source="shop", revision="c" * 40, strategy=scene.strategy, plan_digest="d", waves=waves
    )


def again(scene, objects):
    for obj in objects:
        made = scene.cluster.create(obj)
        if obj.get("status"):
            scene.cluster.replace_status({**made, "status": obj["status"]})


@pytest.fixture
def scene():
    """One was rolled back, then deleted; what it owned is not collected yet, as on a busy API server."""
    scene = Stage(good=False)
    state = work(scene.context(), "one")
    assert (state.rollout.name, state.rollout.status.phase) == (NAME, "RolledBack")
    approved(scene, state.rollout)
    analyses, given = (scene.cluster.list(kind, OWN) for kind in (ANALYSIS, APPROVAL))
    scene.remove(ROLLOUT, NAME)
    assert scene.cluster.list(NAMESPACE_ROLLOUT, OWN)
    again(scene, given)
    scene.analyses = analyses
    blocked = scene.shop()
    scene.cluster.replace_status(blocked.with_status(m.PolicySourceStatus()))
    scene.prober.good = True
    return scene


def test_run_prints_only_what_happens_now(scene, cli):
    done = cli(scene)("run", "--source", "shop")
    assert done.code == 0 and NAME in done.out, done.err
    assert "Restored" not in done.out and "Decided" not in done.out, done.out
    assert done.out.index("Planned") < done.out.index("Applied"), done.out


def test_views_lines_and_explanations_leave_it_out(scene, cli):
    scene.cluster.create(new("PolicyRollout", NAME, OWN, planned(scene)))
    again(scene, scene.analyses)
    state = read(scene.context(), NAME)
    assert state.analyses and not state.own().analyses
    assert not {found.kind for found in moments(state)} & {*OLD}
    assert not {found.kind for found in view(state, scene.clock.now()).moments} & {*OLD}
    said = cli(scene)("explain", NAME).out
    assert "no wave was watched" in said and "decided" not in said, said
