"""What policies of Cilium and Calico refer to is listed where they stand, and only there."""

from orchestrator.adapters.kube.workloads import documents
from orchestrator.errors import NotFound
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.ports import Kind

CILIUM = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumNetworkPolicy",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {"endpointSelector": {}, "ingress": [{"fromCIDRSet": [{"cidrGroupRef": "partners"}]}]},
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "db", "namespace": "shop", "labels": {"app": "db"}},
    "spec": {"containers": []},
    "status": {"podIP": "10.0.0.1"},
}
GROUP = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumCIDRGroup",
    "metadata": {"name": "partners"},
    "spec": {"externalCIDRs": ["203.0.113.0/24"]},
}
NEVER = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "cilium-config", "namespace": "kube-system"},
    "data": {"enable-policy": "never"},
}


class Cluster:
    """Has these objects, and notes what it is asked for."""

    def __init__(self, *objects):
        self.objects, self.asked = objects, []

    def list(self, kind, namespace=None, labels=""):
        self.asked.append(kind.kind)
        return [o for o in self.objects if kind.means(o)]

    def get(self, kind, name, namespace=None):
        self.asked.append(f"{namespace}/{name}")
        for obj in self.objects:
            if kind.means(obj) and obj["metadata"]["name"] == name:
                return obj
        raise NotFound(f"{name} is not there")


def reached(*objects):
    net = fleet(documents(Cluster(*objects)), live=True).network()
    (pod,) = fleet(documents(Cluster(*objects)), live=True).within("shop")
    return [net.allowed(address, pod, "TCP", 80) for address in ("203.0.113.9", "198.51.100.9")]


def test_a_group_and_the_agents_options_decide():
    assert reached(POD) == [True, True]
    assert reached(POD, CILIUM) == [False, False]
    assert reached(POD, CILIUM, GROUP) == [True, False]
    assert reached(POD, CILIUM, GROUP, NEVER) == [True, True]


def test_without_such_policies_nothing_else_is_asked_for():
    plain, with_cilium = Cluster(POD), Cluster(POD, CILIUM)
    list(documents(plain))
    list(documents(with_cilium))
    more = {*with_cilium.asked} - {*plain.asked}
    assert more == {
        "CiliumCIDRGroup",
        "CiliumNode",
        "Node",
        "Service",
        "EndpointSlice",
        "kube-system/cilium-config",
    }


def test_another_group_with_the_same_kind_is_another_kind():
    policy = Kind("networking.k8s.io/v1", "NetworkPolicy")
    assert not policy.means({"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy"})
