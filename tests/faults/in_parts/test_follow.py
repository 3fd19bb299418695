"""A change goes with a canary deployment: opened before the new version takes traffic, closed once it is promoted."""

import pytest
from stage import OWN, Rounds, Stage, files, policy

from orchestrator.context import ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput, Forbidden
from orchestrator.operations.start import find_source, start
from orchestrator.planning.planner import plan
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m

ARGO, FLAGGER = Kind("argoproj.io/v1alpha1", "Rollout"), Kind("flagger.app/v1beta1", "Canary")


def on(port):
    rule = {"ports": [{"port": port, "protocol": "TCP"}]}
    return policy("both", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]})


ARGO_STATES = {
    "stable": {"phase": "Healthy", "stableRS": "old", "currentPodHash": "old"},
    "running": {"phase": "Paused", "stableRS": "old", "currentPodHash": "new", "message": "CanaryPauseStep"},
    "promoted": {"phase": "Healthy", "stableRS": "new", "currentPodHash": "new"},
    "aborted": {"phase": "Degraded", "stableRS": "old", "currentPodHash": "new", "abort": True},
}
FLAGGER_STATES = {
    "stable": {"phase": "Succeeded", "lastAppliedSpec": "old", "lastPromotedSpec": "old"},
    "running": {"phase": "Progressing", "lastAppliedSpec": "new", "lastPromotedSpec": "old"},
    "promoted": {"phase": "Succeeded", "lastAppliedSpec": "new", "lastPromotedSpec": "new"},
    "aborted": {"phase": "Failed", "lastAppliedSpec": "new", "lastPromotedSpec": "old"},
}
TOOLS = {
    "argo": (ARGO, ARGO_STATES, {"argo_rollout": "pay/api"}),
    "flagger": (FLAGGER, FLAGGER_STATES, {"flagger": "pay/api"}),
}


class Followed:
    """A stage whose source follows a canary deployment of a tool."""

    def __init__(self, tool, state="stable"):
        self.kind, self.states, follow = TOOLS[tool]
        self.stage = Stage(follow=m.Follow(**follow))
        for space in ("cart", "pay", "web"):
            self.stage.pod(space, "a")
        self.stage.repository.history[-1] = ("c" * 40, files(on(80)))
        meta = {"name": "api", "namespace": "pay"}
        made = {"apiVersion": self.kind.api_version, "kind": self.kind.kind, "metadata": meta, "spec": {}}
        self.stage.cluster.create(made)
        self.turn(state)

    def turn(self, state):
        fresh = self.stage.cluster.get(self.kind, "api", "pay")
        self.stage.cluster.replace_status({**fresh, "status": self.states[state]})

    def begin(self):
        ctx = self.stage.context()
        self.name = start(ctx, find_source(ctx, "shop")).rollout
        return self.go()

    def go(self, prober=None):
        state = Embedded(self.stage.context(prober=prober or self.stage.prober), "engine").drive(self.name)
        return state.rollout.status


@pytest.fixture(params=TOOLS)
def tool(request):
    return request.param


def test_it_waits_between_its_two_phases_until_the_new_version_is_promoted(tool):
    one = Followed(tool)
    status = one.begin()
    assert (status.phase, status.paused_for, status.wave) == ("Paused", "workload", 2), status.reason
    assert "pay/api" in status.reason and "contract" not in status.reason
    spec = read(one.stage.context(), one.name).rollout.spec
    assert [w.why.partition(",")[0] for w in spec.waves] == ["expand"] * 2 + ["contract"] * 2
    one.turn("running")
    assert one.go().paused_for == "workload"
    one.turn("promoted")
    assert one.go().phase == "Succeeded"


def test_one_that_is_on_its_way_already_is_waited_for_as_well(tool):
    one = Followed(tool, "running")
    assert one.begin().paused_for == "workload"
    one.turn("promoted")
    assert one.go().phase == "Succeeded"


def test_an_abort_there_rolls_back_here(tool):
    one = Followed(tool, "running")
    before = one.stage.standing()
    assert one.begin().paused_for == "workload"
    one.turn("aborted")
    status = one.go()
    assert status.phase == "RolledBack" and one.stage.standing() == before
    assert any(t.reason == "WorkloadAborted" and "pay/api" in t.message for t in status.transitions)


def test_what_had_failed_before_is_no_abort_of_this_change(tool):
    one = Followed(tool, "aborted")
    assert one.begin().paused_for == "workload"
    one.turn("promoted")
    assert one.go().phase == "Succeeded"


def test_an_abort_after_the_old_was_closed_is_not_its_business(tool):
    one = Followed(tool, "running")
    one.begin()
    one.turn("promoted")
    ctx = one.stage.context()
    begun = lambda: read(ctx, one.name).rollout.status.waves_started > 2  # noqa: E731
    Embedded(ctx, "engine", stop=begun).drive(one.name)
    one.turn("aborted")
    assert one.go().phase == "Succeeded"


def test_one_that_is_not_there_or_may_not_be_read_is_waited_for_in_sight(tool):
    one = Followed(tool)
    one.stage.remove(one.kind, "api", "pay")
    status = one.begin()
    assert status.paused_for == "workload" and "not there" in status.reason

    class Closed:
        def __init__(self, cluster):
            self._cluster = cluster

        def __getattr__(self, verb):
            return getattr(self._cluster, verb)

        def get(self, kind, name, namespace=None):
            if kind == one.kind:
                raise Forbidden("no right to that")
            return self._cluster.get(kind, name, namespace)

    state = Embedded(one.stage.context(Closed(one.stage.cluster)), "engine").drive(one.name)
    assert state.rollout.status.paused_for == "workload" and "not readable" in state.rollout.status.reason


def test_a_controller_goes_on_by_itself(tool):
    one = Followed(tool)
    rounds = Rounds(one.stage)
    rounds.go(6)
    [rollout] = one.stage.cluster.list(ROLLOUT, OWN)
    assert rollout["status"]["pausedFor"] == "workload"
    one.turn("promoted")
    assert list(rounds.go(6).values()) == ["Succeeded"]


def test_a_change_that_cannot_open_first_is_refused(tool):
    one = Followed(tool)
    deny = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "c"},
        "spec": {"endpointSelector": {}, "ingressDeny": [{"fromEntities": ["all"]}]},
    }
    kinds = (("networking.k8s.io/v1", "NetworkPolicy"), ("cilium.io/v2", "CiliumNetworkPolicy"))
    one.stage.change(kinds=[{"apiVersion": version, "kind": kind} for version, kind in kinds])
    one.stage.repository.push("d", files(on(80), deny))
    ctx = one.stage.context()
    with pytest.raises(BadInput, match="cannot open first and close later"):
        plan(ctx, find_source(ctx, "shop"), one.stage.repository.resolve())


def test_a_regression_while_it_waits_rolls_back_as_always(tool):
    one = Followed(tool, "running")
    before = one.stage.standing()
    one.begin()
    one.stage.prober.turn_bad()
    for _ in range(3):
        one.stage.clock.sleep(600)
        status = one.go()
    assert status.phase == "RolledBack" and one.stage.standing() == before
