"""A plan whose rules open what nobody knows is no plan without risk: gates for what opens are passed."""

from stage import ALLOW, DENY, Stage, files, work

from orchestrator.context import ANALYSIS
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.rollout.resources.resource import load

NAMES = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "names"},
    "spec": {
        "endpointSelector": {},
        "enableDefaultDeny": {"egress": False},
        "egress": [{"toFQDNs": [{"matchPattern": "*"}]}],
    },
}


def test_names_that_a_plan_opens_are_noted_and_count_as_opened():
    stage = Stage()
    kinds = [("networking.k8s.io/v1", "NetworkPolicy"), ("cilium.io/v2", "CiliumNetworkPolicy")]
    stage.change(kinds=[{"apiVersion": version, "kind": kind} for version, kind in kinds])
    stage.repository.push("d", files(DENY, ALLOW))
    work(stage.context(), "engine")
    stage.repository.push("e", files(DENY, ALLOW, NAMES))
    ctx = stage.context()
    source = find_source(ctx, "shop")
    found = forecast(ctx, plan(ctx, source, "e" * 40), source.spec.strategy, files(NAMES))
    assert list(found.changes) == [] and (found.risk.level, found.risk.kinds) == ("medium", ("opened",))
    assert "may open or cut connections" in found.risk.reasons[0]
    assert all("egress[0].toFQDNs" in note and "which addresses DNS gives" in note for note in found.notes)
    assert found.notes
    Embedded(ctx, "engine").drive(start(ctx, source).rollout)
    evidence = [load(obj).spec for obj in stage.cluster.list(ANALYSIS) if "eeee" in obj["spec"]["rollout"]]
    assert evidence and all(any("egress[0].toFQDNs" in note for note in spec.notes) for spec in evidence)
