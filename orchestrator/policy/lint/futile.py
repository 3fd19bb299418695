"""What is written in a policy and can never matter: rules out of force, selectors that contradict themselves."""

from collections.abc import Iterator

from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.objects.directions import Direction, rules
from orchestrator.policy.objects.selector import conjunction
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import selected


def out_of_force(fleet: Fleet) -> Iterator[Finding]:
    """Rules of a direction that policyTypes leaves out; an empty list of them, which denies nothing there."""
    for policy in fleet.policies:
        spec = policy["spec"]
        for side in Direction:
            part = side.part
            if spec.get(part) is None or side.in_force(policy):
                continue
            listed = ", ".join(spec.get("policyTypes") or []) or "absent, which means Ingress"
            meant = f"its rules under {part} do nothing" if spec[part] else f"{part}: [] denies nothing"
            text = f"{meant}: policyTypes ({listed}) leaves {side} out"
            yield of_policy(fleet, "NPC017", policy, text)


def contradictory(fleet: Fleet) -> Iterator[Finding]:
    """Policies that no pod can make matter, and peers that nothing can match."""
    for policy in fleet.policies:
        pods = selected(fleet, policy)
        if conjunction(policy["spec"].get("podSelector") or {}, {}) is None:
            text = "its podSelector contradicts itself: no pod can match it"
            yield of_policy(fleet, "NPC018", policy, text)
        elif pods and all(p.host_network for p in pods):
            names = ", ".join(sorted({p.name for p in pods})[:3])
            text = f"it selects pods on the host's network alone ({names}), which no CNI holds to policies"
            yield of_policy(fleet, "NPC018", policy, text)
        for rule in rules(policy):
            for place, peer in rule.peer_places():
                for kind in ("podSelector", "namespaceSelector"):
                    if peer.get(kind) and conjunction(peer[kind], {}) is None:
                        text = f"{place}.{kind} contradicts itself: nothing can match it"
                        yield of_policy(fleet, "NPC018", policy, text)
