"""A change that keeps kube-apiserver from the API server of the policies themselves is refused: nobody could take it back."""

import json

import pytest
from faulty_port import FaultyPort, just_before
from stage import OWN, Stage
from written import plain

from orchestrator.context import ROLLOUT
from orchestrator.errors import Forbidden, Refused
from orchestrator.operations.start import find_source, start
from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan
from orchestrator.ports import Kind

SPACE = "calico-apiserver"
CILIUM, CALICO = "cilium.io/v2", "projectcalico.org/v3"
NETWORKING = "networking.k8s.io/v1"
KINDS = [
    {"apiVersion": version, "kind": kind}
    for version, kind in (
        (NETWORKING, "NetworkPolicy"),
        (CILIUM, "CiliumNetworkPolicy"),
        (CILIUM, "CiliumClusterwideNetworkPolicy"),
        (CALICO, "NetworkPolicy"),
        (CALICO, "GlobalNetworkPolicy"),
    )
]
TEAM = [{"podSelector": {"matchLabels": {"app": "web"}}}]
ANYWHERE = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
SERVER = "k8s-app == 'calico-apiserver'"


def of_kubernetes(peers, name="in"):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]}
    return plain("NetworkPolicy", name, spec)


def of_cilium(rule, kind="CiliumNetworkPolicy"):
    return plain(kind, "in", {"endpointSelector": {}, "ingress": [rule]}, version=CILIUM)


def of_calico(rule, kind="NetworkPolicy"):
    spec = {"selector": SERVER, "types": ["Ingress"], "ingress": [rule]}
    return plain(kind, "in", spec, version=CALICO)


def staged(*policies, group="projectcalico.org"):
    """Calico's API server, and a policy of Calico about other pods; Cilium enforces its own where it is asked to."""
    cilium = any(o["apiVersion"] == CILIUM for o in policies)
    stage = Stage(cluster_wide="atOnce", cni="cilium" if cilium else "auto")
    stage.namespace(SPACE)
    other = {"selector": "app == 'other'", "ingress": [{"action": "Allow"}]}
    stage.cluster.create(plain("GlobalNetworkPolicy", "theirs", other, version=CALICO))
    spec = {"containers": [{"name": "c", "image": "c", "ports": [{"containerPort": 5443}]}]}
    labels = {"k8s-app": "calico-apiserver"}
    stage.cluster.create(plain("Pod", f"{SPACE}/server", spec, labels=labels))
    ports = [{"port": 443, "targetPort": 5443}]
    stage.cluster.create(plain("Service", f"{SPACE}/api", {"selector": labels, "ports": ports}))
    service = {"name": "api", "namespace": SPACE, "port": 443}
    spec = {"group": group, "version": "v3", "service": service}
    stage.cluster.create(plain("APIService", f"v3.{group}", spec))
    stage.change(kinds=KINDS, shared="_shared")
    push(stage, *policies)
    return stage


def push(stage, *policies):
    wide = ("CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy")
    folders = ["_cluster" if o["kind"] in wide else SPACE for o in policies]
    found = {
        f"{f}/{n}.yaml": json.dumps(o).encode()
        for n, (f, o) in enumerate(zip(folders, policies, strict=True))
    }
    stage.repository.push("d", found)


def unserved(stage, *faults):
    ctx = stage.context(FaultyPort(stage.cluster, *faults))
    source = find_source(ctx, "shop")
    return forecast(ctx, plan(ctx, source, "d" * 40), source.spec.strategy, {})


@pytest.mark.parametrize(
    ("policy", "cut"),
    [
        (of_kubernetes(TEAM), True),
        (of_kubernetes(ANYWHERE), False),
        (of_cilium({"fromEndpoints": [{"matchLabels": {"app": "web"}}]}), True),
        (of_cilium({"fromEntities": ["kube-apiserver"]}), False),
        (of_cilium({"fromEndpoints": [{"matchLabels": {"app": "web"}}]}, KINDS[2]["kind"]), True),
        (of_cilium({"fromEntities": ["all"]}, KINDS[2]["kind"]), False),
        (of_calico({"action": "Allow", "source": {"selector": "app == 'web'"}}), True),
        (of_calico({"action": "Allow", "source": {"nets": ["10.0.0.0/8"]}}), False),
        (of_calico({"action": "Deny"}, "GlobalNetworkPolicy"), True),
        (of_calico({"action": "Allow"}, "GlobalNetworkPolicy"), False),
    ],
)
def test_policies_of_every_kind_may_cut_calico_s_api_server_off(policy, cut):
    stage = staged(policy)
    found = unserved(stage)
    server = f"APIService v3.projectcalico.org at {SPACE}/server[Pod]"
    assert list(found.unserved) == ([server] if cut else [])
    ctx = stage.context()
    if cut:
        with pytest.raises(Refused, match="keeps the API server from APIService"):
            start(ctx, find_source(ctx, "shop"))
        assert stage.cluster.list(ROLLOUT, OWN) == []
    else:
        assert start(ctx, find_source(ctx, "shop")).rollout


def test_it_is_refused_where_it_is_cut_off_between_two_writes_alone():
    """Calico asks the policy that denies as soon as it stands; the one that lets in comes after it."""
    deny = of_calico({"action": "Deny"})
    first = {**deny, "metadata": {"name": "a"}, "spec": {**deny["spec"], "order": 2}}
    allow = of_calico({"action": "Allow"})
    second = {**allow, "metadata": {"name": "b"}, "spec": {**allow["spec"], "order": 1}}
    assert unserved(staged(first, second)).unserved
    alone = {**first, "metadata": {"name": "c"}}
    assert unserved(staged(alone, {**second, "metadata": {"name": "b"}})).unserved == []


def test_what_serves_no_policies_is_none_of_it():
    assert unserved(staged(of_kubernetes(TEAM), group="metrics.k8s.io")).unserved == []


def test_without_the_right_to_list_them_the_plan_says_so_where_calico_s_policies_count():
    no = just_before(Forbidden("no"), "list", kind="APIService")
    stage = staged(of_kubernetes(TEAM))
    assert any("Calico's own" in note for note in unserved(stage, no).notes)
    stage.remove(Kind(CALICO, "GlobalNetworkPolicy"), "theirs", None)
    assert not any("Calico's own" in note for note in unserved(stage, no).notes)


def test_what_is_cut_off_already_stops_no_change():
    stage = staged()
    stage.cluster.create(
        plain("NetworkPolicy", f"{SPACE}/theirs", {"podSelector": {}, "policyTypes": ["Ingress"]})
    )
    push(stage, of_kubernetes(TEAM))
    assert unserved(stage).unserved == []
