"""Pods that policies of Cilium, or all policies as Cilium reads them, keep from every resolver that is known."""

from collections.abc import Iterator

from orchestrator.policy.evaluate.evaluator import Network, Pod
from orchestrator.policy.files.doubles import title
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.of_api import of_cilium
from orchestrator.policy.network.dns import SYSTEM, ports_of, resolvers
from orchestrator.policy.objects.directions import EGRESS
from orchestrator.policy.workloads.citing import policy_of
from orchestrator.policy.workloads.fleet import Fleet


def unresolved(fleet: Fleet) -> Iterator[Finding]:
    """One finding a workload. A resolver on a node's own network may be any end: then nothing is said."""
    known = [w.pod for w in resolvers(fleet)]
    if not of_cilium(fleet) or not known or any(p.host_network for p in known):
        return
    if SYSTEM in fleet.obscured.unlabelled:
        return
    net = fleet.network()
    policies = {title(p): p for p in (*fleet.policies, *fleet.further)}
    for workload in fleet.workloads:
        pod = workload.pod
        others = [other for other in known if other is not pod]
        if pod.host_network or not others or not net.isolated(pod, EGRESS):
            continue
        refusing = _refusing(net, pod, others)
        if refusing in policies:
            text = f"{workload.name} cannot reach any DNS server"
            yield of_policy(fleet, "NPC005", policies[refusing], text)


def _refusing(net: Network, pod: Pod, known: list[Pod]) -> str:
    """The first policy that keeps a pod from all of them, by its title; empty where one may be asked."""
    found = ""
    for other in known:
        for port in ports_of(other):
            answer = net.decide(pod, other, "UDP", port)
            egress = next((why for why in answer.why if why.side == EGRESS), None)
            if answer.allowed is not False or egress is None or egress.allowed:
                return ""
            found = found or next(map(policy_of, egress.rules), "")
    return found
