"""What stands in the sandbox's cluster decides what its probes and its metrics show, whatever API it is of."""

import pytest

from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS, policy_kind
from orchestrator.ports import Kind, Probe
from orchestrator.sandbox.world import build

EVERY = {"ingressDeny": [{"fromEntities": ["cluster"]}]}
ADMIN = "policy.networking.k8s.io/v1alpha1"
PODS = {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "payments"}}}
RULE = {"name": "nobody", "action": "Deny", "from": [{"namespaces": {}}]}
CUTTING = {
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"): {
        "tier": "Admin",
        "priority": 1,
        "subject": PODS,
        "ingress": [RULE],
    },
    (ADMIN, "AdminNetworkPolicy"): {"priority": 1, "subject": PODS, "ingress": [RULE]},
    (ADMIN, "BaselineAdminNetworkPolicy"): {"subject": PODS, "ingress": [RULE]},
    ("cilium.io/v2", "CiliumNetworkPolicy"): {"endpointSelector": {}, **EVERY},
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"): {
        "endpointSelector": {"matchLabels": {"app": "payments"}},
        **EVERY,
    },
    ("projectcalico.org/v3", "NetworkPolicy"): {"selector": "all()", "ingress": [{"action": "Deny"}]},
    ("projectcalico.org/v3", "GlobalNetworkPolicy"): {
        "selector": "app == 'payments'",
        "ingress": [{"action": "Deny"}],
    },
}
GROUP = {
    "apiVersion": "cilium.io/v2",
    "kind": "CiliumCIDRGroup",
    "metadata": {"name": "strangers"},
    "spec": {"externalCIDRs": ["203.0.113.0/24"]},
}
SET = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "GlobalNetworkSet",
    "metadata": {"name": "strangers", "labels": {"who": "strangers"}},
    "spec": {"nets": ["203.0.113.0/24"]},
}
REFERRING = {
    "cilium": (
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        {
            "endpointSelector": {},
            "ingress": [{"fromEntities": ["all"]}],
            "ingressDeny": [{"fromCIDRSet": [{"cidrGroupRef": "strangers"}]}],
        },
        GROUP,
    ),
    "calico": (
        ("projectcalico.org/v3", "NetworkPolicy"),
        {
            "selector": "all()",
            "ingress": [
                {
                    "action": "Deny",
                    "source": {"selector": "who == 'strangers'", "namespaceSelector": "global()"},
                },
                {"action": "Allow"},
            ],
        },
        SET,
    ),
}


def policy(named, spec, space):
    meta = {"name": "default" if named[1].startswith("Baseline") else "cuts"}
    obj = {"apiVersion": named[0], "kind": named[1], "metadata": meta, "spec": spec}
    known = policy_kind(obj)
    assert known.problems(obj) == []
    return {**obj, "metadata": {**meta, "namespace": space}} if known.namespaced else obj


def gone(world, made):
    meta = made["metadata"]
    kind = Kind(made["apiVersion"], made["kind"])
    world.cluster.delete(kind, meta["name"], meta.get("namespace"), uid="", resource_version="")


def growth(world, side, space, outcome):
    """Requests that one more minute brings."""
    world.clock.sleep(60)
    series = f'http_{side}_requests_total{{namespace="{space}",outcome="{outcome}"}}'
    asked = f"sum by (namespace) (increase({series}[60s]))"
    return sum(sample.value for sample in world.metrics.query(asked, world.clock.now()))


def test_a_policy_of_every_api_is_tried():
    assert set(CUTTING) == {(k.api_version, k.kind) for k in POLICY_KINDS}


@pytest.mark.parametrize(("named", "spec"), CUTTING.items(), ids=[kind for _, kind in CUTTING])
def test_a_policy_of_any_api_cuts_what_it_says_until_it_goes(named, spec):
    world = build()
    ends = [(f"{space}/{space}", space != "payments") for space in ("payments", "cart")]
    probes = [Probe(end, "checkout/checkout", end, 8080, "TCP", left) for end, left in ends]

    def connected():
        return [result.observed for result in world.prober.run(probes)]

    assert connected() == [True, True] and growth(world, "client", "checkout", "error") == 0
    made = world.cluster.create(policy(named, spec, "payments"))
    assert connected() == [False, True] and growth(world, "client", "checkout", "error") > 0
    gone(world, made)
    assert connected() == [True, True] and growth(world, "client", "checkout", "error") == 0


@pytest.mark.parametrize(("named", "spec", "addresses"), REFERRING.values(), ids=REFERRING)
def test_the_addresses_that_a_policy_refers_to_count_as_they_stand(named, spec, addresses):
    world = build()
    world.cluster.create(policy(named, spec, "web"))
    assert growth(world, "server", "web", "ok") > 0
    made = world.cluster.create(addresses)
    assert growth(world, "server", "web", "ok") == 0
    gone(world, made)
    assert growth(world, "server", "web", "ok") > 0
