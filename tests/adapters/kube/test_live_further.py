"""What policies of Cilium and Calico refer to is listed where they stand, and only there."""

import pytest

from orchestrator.adapters.kube.workloads import documents
from orchestrator.cli.policies.fleets import unread
from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.workloads.comparable import unread_policies
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


class Closed(Cluster):
    """Does not let anybody list some kinds."""

    def __init__(self, error, *kinds, objects=(POD, CILIUM)):
        super().__init__(*objects)
        self.error, self.kinds = error, kinds

    def list(self, kind, namespace=None, labels=""):
        if kind.kind in self.kinds:
            raise self.error
        return super().list(kind, namespace, labels)


SHUT = Forbidden("globalnetworkpolicies.projectcalico.org is forbidden")


def test_one_kind_that_may_not_be_listed_is_named_and_the_rest_is_read():
    found = fleet(documents(Closed(SHUT, "GlobalNetworkPolicy", "CiliumNode")), live=True)
    assert [p["kind"] for p in found.further] == ["CiliumNetworkPolicy"]
    assert [text.partition(":")[0] for text in unread_policies(found)] == [
        "GlobalNetworkPolicy (projectcalico.org/v3)",
        "CiliumNode (cilium.io/v2)",
    ]
    assert all(str(SHUT) in text and "is not known" in text for text in unread_policies(found))
    assert unread(found) == list(unread_policies(found))


def test_what_nothing_is_known_without_may_not_be_missing():
    for kind in ("Pod", "Namespace"):
        with pytest.raises(Forbidden):
            list(documents(Closed(SHUT, kind)))


def test_whoever_is_not_signed_in_is_told_so():
    with pytest.raises(Forbidden):
        list(documents(Closed(Forbidden("who are you?", 401), "GlobalNetworkPolicy")))


class Older(Cluster):
    """Has no kind of some API versions."""

    def __init__(self, *objects, without):
        super().__init__(*objects)
        self.without = without

    def list(self, kind, namespace=None, labels=""):
        if kind.api_version in self.without:
            raise NotFound(f"the cluster has no {kind.kind} of {kind.api_version}")
        return super().list(kind, namespace, labels)


def stored(name):
    head = {"apiVersion": "crd.projectcalico.org/v1", "kind": "GlobalNetworkPolicy"}
    return {**head, "metadata": {"name": name}, "spec": {"types": ["Ingress"]}}


def test_calicos_policies_without_its_api_server_are_named():
    def told(*objects, without=("projectcalico.org/v3",)):
        return list(unread_policies(fleet(documents(Older(POD, *objects, without=without)), live=True)))

    (note,) = told(stored("default.a"), stored("default.b"))
    assert note.startswith("GlobalNetworkPolicy (crd.projectcalico.org/v1): 2 of them cannot be read")
    assert told() == told(without=("projectcalico.org/v3", "crd.projectcalico.org/v1")) == []
    assert told(stored("default.a"), without=()) == []  # it is served as what it is


def test_a_group_of_an_older_agent_is_read():
    group = {**GROUP, "apiVersion": "cilium.io/v2alpha1"}
    for with_group, answer in (((group,), True), ((), False)):
        found = fleet(documents(NoGroups(POD, CILIUM, *with_group)), live=True)
        (pod,) = found.within("shop")
        assert found.network().allowed("203.0.113.9", pod, "TCP", 80) is answer and not found.unlisted


class NoGroups(Cluster):
    """Its agent is older than cilium.io/v2's CiliumCIDRGroup."""

    def list(self, kind, namespace=None, labels=""):
        if kind == Kind("cilium.io/v2", "CiliumCIDRGroup"):
            raise NotFound("the cluster has no CiliumCIDRGroup of cilium.io/v2")
        return super().list(kind, namespace, labels)
