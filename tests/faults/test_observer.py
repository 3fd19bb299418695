"""A change that cuts off whoever watches is taken back as such."""

import re

import pytest
from faulty_port import FaultyPort, just_before
from stage import OWN, Stage, work

from orchestrator.context import ANALYSIS, NAMESPACE_ROLLOUT
from orchestrator.errors import Unreachable
from orchestrator.ports import Kind
from orchestrator.rollout.resources.resource import load


def applied(stage):
    """Whether a namespace was written."""
    return any(load(o).status.phase == "Applied" for o in stage.cluster.list(NAMESPACE_ROLLOUT, OWN))


def cut_off(stage, seconds):
    """A cluster out of reach for so many seconds once a namespace was written."""
    since = []

    def out_of_reach(call):
        now = stage.clock.now()
        if not since and applied(stage):
            since.append(now)
        return since and (now - since[0]).total_seconds() < seconds

    error = Unreachable("the API server gave no answer: timed out")
    return FaultyPort(stage.cluster, just_before(error, where=out_of_reach))


def test_losing_its_own_way_to_the_api_server_for_too_long_is_a_regression():
    stage = Stage(deadline_seconds=60)
    before = stage.standing()
    status = work(stage.context(cut_off(stage, 90)), "w").rollout.status
    assert status.phase == "RolledBack", status.reason
    # it was out of reach for 90 s, and asked again every few seconds at last
    assert re.search(
        r"cuts off the observer: netpol-canary did not reach the API server for 9\d s", status.reason
    )
    assert stage.standing() == before


def test_a_short_outage_changes_nothing():
    stage = Stage(deadline_seconds=60)
    assert work(stage.context(cut_off(stage, 30)), "w").rollout.status.phase == "Succeeded"


def pod(stage, space, made, ready="True", since=None, **meta):
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": (since or made).strftime(stamp)}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": space, **meta},
        "spec": {"containers": [{"name": "c", "image": "none"}]},
        "status": {"conditions": [condition]},
    }
    for old in stage.cluster.list(Kind("v1", "Pod"), space):
        return stage.cluster.replace({**old, **body, "metadata": old["metadata"]})
    return stage.cluster.create(body)


class Turning:
    """A clock that turns a pod unready some seconds after the first write."""

    def __init__(self, stage, *spaces):
        self._stage, self._spaces, self._done = stage, spaces, False

    def now(self):
        return self._stage.clock.now()

    def sleep(self, seconds):
        self._stage.clock.sleep(seconds)
        if not self._done and applied(self._stage):
            self._done = True
            for space in self._spaces:
                pod(self._stage, space, self.now(), "False", self.now())


def test_pods_that_are_no_longer_ready_are_a_regression_of_their_own():
    stage = Stage()
    pod(stage, "cart", stage.clock.now())
    stage.clock.sleep(60)
    status = work(stage.context(clock=Turning(stage, "cart")), "w").rollout.status
    assert status.phase == "RolledBack"
    assert "pods no longer Ready since the change: cart/app" in status.reason


def slow(stage, space):
    """Its pod's readiness is asked for every 20 s."""
    pod(stage, space, stage.clock.now())
    (found,) = stage.cluster.list(Kind("v1", "Pod"), space)
    found["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"port": 80}, "periodSeconds": 20}
    stage.cluster.replace(found)


def fall(stage, space, ready, at):
    """Like the kubelet, which leaves a pod's spec as it is."""
    (found,) = stage.cluster.list(Kind("v1", "Pod"), space)
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": at.isoformat()}
    stage.cluster.replace({**found, "status": {"conditions": [condition]}})


@pytest.mark.parametrize(("back", "phase"), [(15, "Succeeded"), (None, "RolledBack")])
def test_a_pod_that_is_not_ready_when_the_wave_would_end_is_waited_for_until_it_was_asked_again(back, phase):
    stage = Stage()
    slow(stage, "cart")
    stage.clock.sleep(60)
    start, seen = None, set()

    class Kubelet:
        def now(self):
            return stage.clock.now()

        def sleep(self, seconds):
            nonlocal start
            stage.clock.sleep(seconds)
            if start is None and applied(stage):
                start = self.now()
                fall(stage, "cart", "False", start)
            if start and back and (self.now() - start).total_seconds() >= back:
                fall(stage, "cart", "True", self.now())
            seen.update(load(o).status.reason for o in stage.cluster.list(ANALYSIS, OWN))

    status = work(stage.context(clock=Kubelet()), "w").rollout.status
    assert status.phase == phase, status.reason
    assert "pods are not Ready, and have to be again: cart/app" in seen


def test_pods_of_the_controls_that_fall_as_well_clear_the_change():
    stage = Stage()
    stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "far"}})
    for space in ("cart", "far"):
        pod(stage, space, stage.clock.now())
    stage.clock.sleep(60)
    context = stage.context(clock=Turning(stage, "cart", "far"))
    policy = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    stage.cluster.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "closed", "namespace": "far"},
            "spec": policy,
        }
    )
    state = work(context, "w")
    assert state.analyses[0].spec.control_group == ["far"]
    assert state.rollout.status.phase != "RolledBack"
