"""On a real API server: who else manages an object is told by it, windows and freezes are validated by it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from clearing import OWN
from patience import eventually
from place import REVISION

from orchestrator.adapters.clock import SystemClock
from orchestrator.context import ROLLOUT
from orchestrator.engine.upkeep.drift_watch import DriftWatch
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, Invalid
from orchestrator.planning.planner import plan
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.sources.prune import everything

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize(
    ("options", "who"),
    [
        ((), "kubectl (field manager kubectl-client-side-apply, last wrote 20"),
        (("--server-side", "--field-manager=argocd-controller"), "Argo CD (field manager argocd-controller"),
        (
            ("--server-side", "--field-manager=kustomize-controller"),
            "Flux (field manager kustomize-controller",
        ),
    ],
)
def test_who_manages_an_object_is_read_from_its_field_managers(place, options, who):
    place.theirs("theirs", *options)
    with pytest.raises(BadInput) as said:
        plan(place.ctx, place.source(), REVISION)
    assert f"{place.name}/NetworkPolicy/web exists and is not this source's; it is managed by {who}" in str(
        said.value
    )
    (one,) = plan(place.ctx, place.source(conflicts="observe"), REVISION).observed
    assert one.differs and one.managers.startswith(who)
    (remark,) = plan(place.ctx, place.source(conflicts="adopt"), REVISION).remarks
    assert who in remark and ("may restore its own version" in remark) == bool(options)
    assert place.roll_out() == "Succeeded"
    assert plan(place.ctx, place.source(), REVISION).empty


def test_drift_names_who_wrote_and_is_repaired_until_it_is_fought_over(place):
    assert place.roll_out() == "Succeeded"
    place.source(drift="repair", driftIntervalSeconds=30)
    for count in range(1, 5):
        place.theirs(
            f"again-{count}", "--server-side", "--force-conflicts", "--field-manager=argocd-controller"
        )
        watch = DriftWatch(replace(place.ctx, clock=Later(count)))
        begun = watch.look(place.source(), everything(place.ctx))
        found = place.conditions()["Drifted"]
        assert "was changed by Argo CD (field manager argocd-controller" in place.whole("Drifted")
        if count == 4:
            break
        assert "repairs what differs" in begun
        name = begun.split()[0]
        assert Embedded(place.ctx, "test").drive(name).rollout.status.phase == "Succeeded"
        assert load(place.api.get(ROLLOUT, name, OWN)).spec.cause == "drift"
    assert (
        begun == ""
        and found.reason == "RepairContested"
        and "Argo CD" in place.whole("Drifted").rpartition("and ")[2]
    )


class Later(SystemClock):
    """So many times ten minutes ahead, so that a repair is due again."""

    def __init__(self, times):
        super().__init__()
        self._times = times

    def now(self):
        return super().now() + timedelta(minutes=10) * self._times


def test_a_freeze_holds_a_rollout_and_the_api_server_refuses_a_bad_one(place):
    me = place.api.user()[0]
    spec = m.RolloutFreezeSpec(sources=[place.name], reason="an audit", user=me)
    freeze = place.api.create(new("RolloutFreeze", place.name, OWN, spec))
    assert place.roll_out() == "Paused"
    assert place.plane.run("get", "rfrz", place.name, "-n", OWN).splitlines()[1].split()[0] == place.name
    meta = freeze["metadata"]
    place.api.delete(
        Kind(m.API_VERSION, "RolloutFreeze"),
        place.name,
        OWN,
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
    )
    (found,) = [o for o in place.api.list(ROLLOUT, OWN) if o["spec"]["source"] == place.name]
    assert Embedded(place.ctx, "test").drive(found["metadata"]["name"]).rollout.status.phase == "Succeeded"
    bad = new("RolloutFreeze", "bad", OWN, spec)
    bad["spec"]["until"] = "tomorrow"
    with pytest.raises(Invalid, match="until"):
        place.api.create(bad)


def test_a_freeze_is_in_the_name_of_whoever_declares_it(plane, place, harness):
    policy = str(harness.ROOT / "config" / "admission" / "freezes.yaml")
    plane.run("apply", "-f", policy)
    name = f"{place.name}-by"

    def declared(user, by, verb="create", reason="an audit"):
        spec = m.RolloutFreezeSpec(sources=[place.name], reason=reason, user=user)
        text = json.dumps(new("RolloutFreeze", name, OWN, spec))
        who = ("--as", by, "--as-group", "system:masters")
        return plane.run(verb, "-f", "-", "--dry-run=server", *who, stdin=text, check=False)

    try:
        eventually(
            lambda: declared("bob", "ann") == ""
        )  # an admission policy is in force a moment after it was applied
        assert "created" in declared("ann", "ann") and "created" in declared("", "ann")
    finally:
        plane.run("delete", "-f", policy, "--wait=false")
