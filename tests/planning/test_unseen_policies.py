"""Policies that a cluster has and does not show may decide otherwise: that is a risk, and every plan and wave says it."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import DENY, Stage, files
from watched_canary import first_wave
from written import plain

from orchestrator.errors import Forbidden
from orchestrator.measure.watch_set import watch_set
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan

SUBJECT = {"namespaces": {}}
ADMIN = plain("AdminNetworkPolicy", "seen", {"priority": 5, "subject": SUBJECT, "ingress": []})
REFUSED = Forbidden("baselineadminnetworkpolicies is forbidden")
SHUT = just_before(REFUSED, "list", kind="BaselineAdminNetworkPolicy")


def expected(*objects, cni="auto"):
    """What is forecast where baselines may not be listed."""
    scene = Stage(analysis={"probes": []}, cni=cni)
    for obj in objects:
        scene.cluster.create(obj)
    scene.repository.push("d", files(DENY))
    ctx, source = scene.context(FaultyPort(scene.cluster, SHUT)), scene.shop()
    found = plan(ctx, source, "d" * 40)
    return forecast(ctx, found, source.spec.strategy, scene.repository.files("d" * 40))


@pytest.mark.parametrize(
    ("objects", "cni", "risky"),
    [
        ([ADMIN], "auto", True),
        ([ADMIN], "ovn-kubernetes", True),
        ([ADMIN], "cilium", False),  # which enforces none of these
        ([], "auto", False),  # an account that may not list what no cluster of its kind has
    ],
)
def test_where_others_of_its_api_stand_a_kind_that_may_not_be_listed_is_a_risk(objects, cni, risky):
    found = expected(*objects, cni=cni)
    text = "policies of the kind BaselineAdminNetworkPolicy cannot be read, and may decide otherwise"
    assert (text in found.risk.reasons) is risky
    assert (found.risk.level, "opened" in found.risk.kinds) == (
        ("medium", True) if risky else ("none", False)
    )
    assert any(str(REFUSED) in note for note in found.notes)


def test_evidence_says_how_much_more_is_not_analysed(monkeypatch):
    scene = Stage(analysis={"probes": []})
    for number in range(5):
        spec = {"priority": "x", "subject": SUBJECT}
        scene.cluster.create(plain("AdminNetworkPolicy", f"odd-{number}", spec))
    ctx, state = first_wave(scene)
    notes = watch_set(ctx, state, 0, True).notes
    assert sum("is left out" in note for note in notes) == 3
    assert "2 more are not analysed: a plan names them" in notes
    monkeypatch.setattr("orchestrator.planning.forecast.MOST_WORK", -1)
    unknown, *rest = watch_set(ctx, state, 0, True).notes
    assert "who is connected is not known" in unknown and rest == notes[-4:]
