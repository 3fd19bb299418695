"""Two objects of one place whose subjects are disjoint: each pod has one answer, and nothing is said to depend on a tie."""

import pytest
from cni_policies import CALICO
from whole_fleet import fleet_of
from written import plain

from orchestrator.policy.lint.kinds.equal_priorities import equal_priorities
from orchestrator.policy.lint.kinds.order_ties import order_ties
from orchestrator.policy.narrow.scopes import Scope, split
from orchestrator.policy.objects.pod import Pod

CANARY = Scope(frozenset({"shop"}), {"matchLabels": {"track": "canary"}})
CLIENT, SOME, REST = (
    Pod(space, name, {"track": name}, ip)
    for space, name, ip in (
        ("bank", "client", "10.0.0.1"),
        ("shop", "canary", "10.0.0.2"),
        ("shop", "stable", "10.0.0.3"),
    )
)
SPACES = {name: {"kubernetes.io/metadata.name": name} for name in ("bank", "shop")}


def of_cluster(kind, allow, **spec):
    def rules(action):
        return [{"action": action, "from": [{"namespaces": {}}]}]

    head = {"priority": 7, "subject": {"namespaces": {}}, **spec}
    return [plain(kind, "guard", {**head, "ingress": rules(action)}) for action in (allow, "Deny")]


def of_calico(*actions):
    return [
        plain("GlobalNetworkPolicy", "guard", {"order": 7, "ingress": [{"action": action}]}, version=CALICO)
        for action in actions
    ]


_CILIUM = {"cilium": True}


@pytest.mark.parametrize(
    ("policies", "settled"),
    [
        (of_cluster("AdminNetworkPolicy", "Allow"), {}),
        (of_cluster("ClusterNetworkPolicy", "Accept", tier="Admin"), {}),
        (of_cluster("ClusterNetworkPolicy", "Accept", tier="Admin"), _CILIUM),
        (of_cluster("ClusterNetworkPolicy", "Accept", tier="Baseline"), {}),
        (of_cluster("ClusterNetworkPolicy", "Accept", tier="Baseline"), _CILIUM),
        (of_calico("Allow", "Deny"), {}),
    ],
)
def test_each_pod_has_its_one_answer(policies, settled):
    old, new = policies
    fleet = fleet_of(SPACES, [CLIENT, SOME, REST], *split([old], [new], CANARY))
    net = fleet.network(settled)
    found = [net.decide(CLIENT, pod, "TCP", 80) for pod in (SOME, REST)]
    assert [(f.allowed, f.depends) for f in found] == [(False, ()), (True, ())]
    assert [*equal_priorities(fleet), *order_ties(fleet)] == []
