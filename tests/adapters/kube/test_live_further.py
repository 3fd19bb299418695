"""What policies of Cilium and Calico refer to is listed where they stand, and only there."""

import pytest

from orchestrator.adapters.kube.workloads import documents
from orchestrator.cli.policies.fleets import unread
from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.evaluate.cni_profiles import profile
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
    }
    assert "kube-system/cilium-config" in plain.asked  # it bears on NetworkPolicies, too


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


def test_the_agents_options_bear_on_policies_of_kubernetes_alone():
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "shop"},
        "spec": {"podSelector": {}},
    }
    wall = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "wall"},
        "spec": {
            "tier": "Admin",
            "priority": 1,
            "subject": {"namespaces": {}},
            "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
        },
    }
    other = {**POD, "metadata": {**POD["metadata"], "name": "a"}, "status": {"podIP": "10.0.0.2"}}

    def reached(policy, *config):
        found = fleet(documents(Cluster(POD, other, policy, *config)), live=True)
        assert len(found.policies) + len(found.further) == 1
        a, db = found.within("shop")
        return found.network(profile("cilium")).allowed(a, db, "TCP", 80)

    for_clusters = {**NEVER, "data": {"enable-k8s-cluster-network-policy": "true"}}
    assert (reached(deny), reached(deny, NEVER)) == (False, True)
    assert (reached(wall), reached(wall, for_clusters)) == (False, False)
    assert reached(wall, {**NEVER, "data": {"cluster-name": "east"}})


def test_options_that_may_not_be_read_are_named_where_policies_of_cilium_stand():
    class Shut(Cluster):
        def get(self, kind, name, namespace=None):
            raise Forbidden(f"{name} is forbidden")

    assert not fleet(documents(Shut(POD)), live=True).unlisted
    (note,) = unread_policies(fleet(documents(Shut(POD, CILIUM)), live=True))
    assert note.startswith("ConfigMap (v1): it may not be read") and "cilium-config is forbidden" in note


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
