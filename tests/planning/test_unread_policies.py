"""A cluster-wide policy that stands in the cluster and is not of the shape known here hurts no rollout: it is left out and named."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import Stage, work

from orchestrator.context import ANALYSIS
from orchestrator.errors import Forbidden
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.rollout.resources.resource import load

ALL = {"namespaces": {}}
REVERSED = {"action": "Deny", "to": [ALL], "ports": [{"portRange": {"start": 90, "end": 80}}]}
FORMER = {"action": "Deny", "to": [{"namespaces": {"namespaceSelector": {}}}]}


def stage(rule):
    """One with a policy that an API server takes: the API's text alone forbids it, or another version of it has this shape."""
    found = Stage()
    for space in ("pay", "web"):
        found.pod(space)
    spec = {"priority": 5, "subject": ALL, "egress": [rule]}
    head = {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy"}
    found.cluster.create({**head, "metadata": {"name": "odd"}, "spec": spec})
    return found


@pytest.mark.parametrize("rule", [REVERSED, FORMER, {"action": "Deny", "to": "x"}, "x"])
def test_the_plan_names_it_and_evaluates_the_rest(rule):
    scene = stage(rule)
    ctx, source = scene.context(), scene.shop()
    repository = ctx.repository(source)
    commit = repository.resolve("")
    found = forecast(ctx, plan(ctx, source, commit), source.spec.strategy, repository.files(commit))
    plain = Stage()
    for space in ("pay", "web"):
        plain.pod(space)
    ctx, source = plain.context(), plain.shop()
    without = forecast(ctx, plan(ctx, source, commit), source.spec.strategy, repository.files(commit))
    assert len(found.notes) == 1 and "odd is left out" in found.notes[0]
    assert found.changes == without.changes and found.risk == without.risk and not without.notes


@pytest.mark.parametrize("rule", [REVERSED, FORMER])
def test_a_rollout_goes_on_and_its_evidence_names_it(rule):
    scene = stage(rule)
    assert work(scene.context(), "one").rollout.status.phase == "Succeeded"
    analyses = [load(obj) for obj in scene.cluster.list(ANALYSIS)]
    assert analyses
    assert all(any("odd is left out" in note for note in found.spec.notes) for found in analyses)


def test_people_are_told(cli_said):
    assert "not analysed: AdminNetworkPolicy (the cluster:1): spec.egress[0].ports[0].portRange" in cli_said


@pytest.fixture
def cli_said(monkeypatch, capsys):
    """What `netpol-canary plan` prints."""
    from orchestrator.cli import main, wiring

    scene = stage(REVERSED)
    monkeypatch.setattr(wiring, "connected", lambda target, stop=None: scene.context())
    monkeypatch.setattr("sys.argv", ["netpol-canary", "plan", "--source", "shop"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 0
    return capsys.readouterr().out


SHUT = just_before(Forbidden("adminnetworkpolicies is forbidden"), "list", kind="AdminNetworkPolicy")


def test_a_kind_that_may_not_be_listed_stops_nothing_and_is_named():
    scene = Stage()
    for space in ("pay", "web"):
        scene.pod(space)
    ctx, source = scene.context(FaultyPort(scene.cluster, SHUT)), scene.shop()
    repository = ctx.repository(source)
    commit = repository.resolve("")
    made, given = plan(ctx, source, commit), repository.files(commit)
    found, plain = (forecast(c, made, source.spec.strategy, given) for c in (ctx, scene.context()))
    (note,) = found.notes
    assert "AdminNetworkPolicy" in note and "adminnetworkpolicies is forbidden" in note
    assert found.changes == plain.changes != () and not found.unknown and not plain.notes
    assert work(ctx, "one").rollout.status.phase == "Succeeded"
    analyses = [load(obj) for obj in scene.cluster.list(ANALYSIS)]
    assert analyses and all(note in analysis.spec.notes for analysis in analyses)
