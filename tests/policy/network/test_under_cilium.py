"""Connections under the `cilium` profile are those that its engine allows, however few pairs are asked about."""

from dataclasses import replace
from itertools import product

from written import plain

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.network.beyond import between
from orchestrator.policy.network.boundaries import crossings
from orchestrator.policy.network.connections import reach
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.workloads.fleet import Fleet, Workload

CILIUM = profile("cilium")
SPACES = {"shop": {"kubernetes.io/metadata.name": "shop"}, "bank": {"kubernetes.io/metadata.name": "bank"}}
PODS = [
    Pod(space, name, {"app": name, "pod-template-hash": "7"}, f"10.0.{n}.{m}")
    for n, space in enumerate(SPACES)
    for m, name in enumerate(("web", "db"), 1)
]
# Selects nobody under Cilium, whose identities leave the label out; elsewhere all of the namespace.
BY_HASH = {"podSelector": {"matchLabels": {"pod-template-hash": "7"}}, "policyTypes": ["Ingress"]}
NOT_HASH = {
    "podSelector": {"matchLabels": {"app": "db"}},
    "ingress": [
        {
            "from": [
                {
                    "podSelector": {
                        "matchExpressions": [{"key": "pod-template-hash", "operator": "DoesNotExist"}]
                    }
                }
            ]
        }
    ],
}


def fleet_of(*specs):
    policies = [plain("NetworkPolicy", f"shop/p{n}", spec) for n, spec in enumerate(specs)]
    return Fleet(tuple(Workload("Deployment", pod) for pod in PODS), SPACES, tuple(policies))


def test_labels_that_identities_leave_out_narrow_no_pairs_down():
    for specs in ((BY_HASH,), (NOT_HASH,), (BY_HASH, NOT_HASH)):
        fleet = fleet_of(*specs)
        net = fleet.network(CILIUM)
        found = {(c.src.name, c.dst.name) for c in reach(fleet, CILIUM)}
        for src, dst in product(fleet.workloads, repeat=2):
            if src is not dst:
                wanted = bool(between(net, src.pod, dst.pod))
                assert ((src.name, dst.name) in found) is wanted, (specs, src.name, dst.name)
    assert len(reach(fleet_of(BY_HASH), CILIUM)) > len(reach(fleet_of(BY_HASH)))


def test_a_boundary_is_seen_behind_a_policy_that_selects_nobody():
    bank_shut = plain("NetworkPolicy", "bank/shut", {"podSelector": {}, "policyTypes": ["Egress"]})
    shop_shut = plain("NetworkPolicy", "shop/shut", {"podSelector": {}, "policyTypes": ["Ingress"]})
    base = fleet_of(BY_HASH)
    old, new = (replace(base, policies=(*base.policies, one)) for one in (bank_shut, shop_shut))
    found = {(c.src.pod.namespace, c.dst.pod.namespace) for c in crossings(old, new, SPACES, CILIUM)}
    assert found == {("bank", "shop")}
    assert crossings(old, new, SPACES) == []
