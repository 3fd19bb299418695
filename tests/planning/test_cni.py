"""The CNI that is there decides what a rollout predicts and probes; it is frozen when the rollout begins."""

import pytest
from stage import OWN, SPACES, Stage, files, policy, work
from watched_canary import first_wave
from written import plain

from orchestrator.adapters.kube.cni import detected, profile_of
from orchestrator.context import ROLLOUT
from orchestrator.errors import Forbidden, NotFound
from orchestrator.measure.watch_set import watch_set
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.rollout.resources.resource import load

ANYWHERE = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}
BALANCED = policy("balanced", {"podSelector": {}, "ingress": [{"from": [ANYWHERE]}]}, "cart")


def daemon(name):
    return plain("DaemonSet", f"kube-system/{name}", {})


def stage(*daemons, **strategy):
    """A change that lets any address into cart, whose pods others connect to, under these agents."""
    found = Stage(analysis={"probes": []}, **strategy)
    found.cluster.create(plain("Namespace", "kube-system"))
    for name in daemons:
        found.cluster.create(daemon(name))
    for number, space in enumerate(SPACES, 1):
        found.pod(space, phase="Running", podIP=f"10.0.0.{number}")
    found.repository.push("d", files(BALANCED))
    return found


def cut(stage):
    """The connections to cart that the plan says are lost."""
    ctx = stage.context()
    made = plan(ctx, stage.shop(), "d" * 40)
    found = forecast(ctx, made, stage.shop().spec.strategy, stage.repository.files("d" * 40))
    mine = [c for c in found.changes if c.dst.name == "cart/a[Pod]" and c.kind == "lost"]
    return {c.src.name for c in mine if c.src.name.endswith("[Pod]")}


@pytest.mark.parametrize(
    ("daemons", "named", "wanted"),
    [
        (["kube-router"], "auto", set()),
        (["calico-node", "kube-proxy"], "auto", set()),
        (["cilium"], "auto", {"pay/a[Pod]", "web/a[Pod]"}),
        ([], "auto", {"pay/a[Pod]", "web/a[Pod]"}),
        (["cilium"], "calico", set()),
        (["kube-router"], "generic", {"pay/a[Pod]", "web/a[Pod]"}),
    ],
)
def test_whether_a_block_of_addresses_cuts_pods_off_depends_on_who_enforces_it(daemons, named, wanted):
    assert cut(stage(*daemons, cni=named)) == wanted


@pytest.mark.parametrize(
    ("daemons", "wanted"),
    [
        (["aws-node", "calico-node"], "calico"),
        (["canal"], "calico"),
        (["cilium", "cilium-envoy"], "cilium"),
        (["anetd", "fluentbit-gke", "gke-metadata-server"], "gke-dataplane-v2"),
        (["rke2-canal", "rke2-ingress-nginx-controller"], "calico"),
        (["calico-node", "cilium"], "generic"),
        (["kube-flannel-ds", "kube-proxy"], "generic"),
        (["antrea-agent"], "antrea"),
        (["ovnkube-node", "ovnkube-node-dpu"], "ovn-kubernetes"),
        (["aws-node", "kube-proxy"], "eks-vpc-cni"),
        (["azure-npm", "azure-npm-win"], "azure-npm"),
        (["weave-net"], "generic"),
        ([], "generic"),
    ],
)
def test_the_agent_is_known_by_its_daemon_set_where_it_is_the_only_one(daemons, wanted):
    assert profile_of(daemons) == wanted


@pytest.mark.parametrize("error", [Forbidden("daemonsets is forbidden"), NotFound("no such kind")])
def test_where_daemon_sets_may_not_be_listed_the_api_alone_decides(error):
    class Closed:
        def list(self, kind):
            raise error

    assert detected(Closed()) == "generic" and detected(Closed(), "cilium") == "cilium"


def test_a_rollout_freezes_what_was_found_and_its_waves_go_by_that():
    scene = stage("kube-router")
    ctx, state = first_wave(scene)
    assert state.rollout.spec.strategy.cni == "kube-router"
    obj = scene.cluster.list(ROLLOUT, OWN)[0]
    assert load(obj).spec.strategy.cni == "kube-router"
    scene.cluster.create(daemon("cilium"))  # what comes later changes nothing
    found = watch_set(ctx, state, 0, True)
    into = [e for e in found.edges if e.destination == "cart/a[Pod]" and e.source.endswith("[Pod]")]
    assert not any(e.after == "none" for e in into)
    assert all(p.expect == "reach" for p in found.probes if p.destination == "cart/a")


def test_a_change_that_blocks_cover_is_rolled_out_where_they_cover_pods():
    """On a real kube-router all connections went on as before, and the prediction said that they would not."""
    scene = stage("kube-router")
    ctx = scene.context()
    assert work(ctx, "w").rollout.status.phase == "Succeeded"


def test_under_a_cni_that_is_not_known_what_depends_on_it_is_not_probed_and_said():
    ctx, state = first_wave(stage())
    found = watch_set(ctx, state, 0, True)
    assert not any(p.destination == "cart/a" for p in found.probes)
    assert any("depend on how the CNI reads policies" in n and "strategy.cni" in n for n in found.notes)


WALL = {
    "priority": 5,
    "subject": {"namespaces": {}},
    "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
}


@pytest.mark.parametrize(("cni", "named"), [("eks-vpc-cni", True), ("ovn-kubernetes", False), ("auto", True)])
def test_a_plan_and_its_evidence_name_what_the_cni_does_not_enforce_and_leave_it_out(cni, named):
    scene = stage("aws-node", cni=cni)
    scene.cluster.create(plain("AdminNetworkPolicy", "wall", WALL))
    ctx, state = first_wave(scene)
    made = plan(ctx, scene.shop(), "d" * 40)
    found = forecast(ctx, made, scene.shop().spec.strategy, scene.repository.files("d" * 40))
    told = "the VPC CNI of EKS does not enforce it: wall"
    assert any(told in note for note in found.notes) is named
    assert any(told in note for note in watch_set(ctx, state, 0, True).notes) is named
    pods = [c for c in found.changes if c.kind == "lost" and c.src.name.endswith("[Pod]")]
    assert bool(pods) is named  # else nothing was open to lose
