"""Policies of the tier Baseline that are asked about no pod, for NetworkPolicies select each."""

from collections.abc import Iterator

from orchestrator.policy.evaluate.cluster_policies import compiled
from orchestrator.policy.evaluate.tiers import selects
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.fleet import Fleet


def unasked(fleet: Fleet) -> Iterator[Finding]:
    """Where Kubernetes' own APIs alone stand: in each direction of its rules every pod of its subject is selected."""
    if fleet.of_cni or fleet.obscured.workloads or fleet.obscured.unlabelled:
        return
    net = fleet.network()
    for policy in (p for p in map(compiled, fleet.of_cluster) if p.tier == "Baseline"):
        sides = [side for side in Direction if policy.rules[side]]
        pods = [w.pod for w in fleet.workloads if selects(policy.subject, w.pod, fleet.namespaces)]
        if sides and pods and all(net.isolated(pod, side) for pod in pods for side in sides):
            told = " and ".join(side.part for side in sides)
            text = f"spec.subject means no pod that NetworkPolicies leave open for {told}: none is ever asked about"
            yield of_policy(fleet, "NPC038", policy.obj, text)
