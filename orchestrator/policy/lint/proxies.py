"""Proxies of a service mesh that policies cut off: from their control plane, or from who reads their metrics."""

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.policy.definitions.mesh import Member, control_plane, members
from orchestrator.policy.definitions.needed import Port
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.lint.findings import Finding, of_policy, softened
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import isolating

METRICS = {"Istio": (15020, 15090), "Linkerd": (4191,), "Kuma": (5670,)}


def proxies(fleet: Fleet) -> Iterator[Finding]:
    """One finding a workload that does not reach its control plane, and one a namespace whose proxies nobody can scrape."""
    found = members(fleet.beside, fleet)
    spaces = {m.mesh.space: {NAME_LABEL: m.mesh.space} for m in found}
    net = replace(fleet, namespaces={**spaces, **fleet.namespaces}).network()
    told: set[str] = set()
    for member in found:
        pod = member.workload.pod
        missing = sorted(_missing(fleet, net, member))
        selecting = isolating(fleet, pod, EGRESS) or isolating(fleet, pod, INGRESS)
        if missing and selecting:
            listed = ", ".join(f"{port}/{protocol}" for protocol, port in missing)
            text = (
                f"{member.workload.name} gets a proxy of {member.mesh.name} ({member.origin}), which does not reach its control "
                f"plane on {listed}: without certificates and configuration the pod never becomes ready"
            )
            yield of_policy(fleet, "NPC030", selecting[0], text)
        if not fleet.further and pod.namespace not in told and _unscraped(fleet, net, member):
            told.add(pod.namespace)
            read = " and ".join(str(p) for p in METRICS[member.mesh.name])
            text = f"nobody may read the metrics of {member.mesh.name}'s proxies, such as that of {member.workload.name}, on {read}"
            yield softened(of_policy(fleet, "NPC030", isolating(fleet, pod, INGRESS)[0], text), "info")


def _missing(fleet: Fleet, net: Network, member: Member) -> set[Port]:
    """The ports of the control plane that are reached at no pod of it."""
    mesh, pod = member.mesh, member.workload.pod
    parts = control_plane(mesh, fleet)
    if any(w.name == member.workload.name for w, _ in parts):
        return set()
    ends = [(w.pod, c) for w, c in parts if c.ports] or [
        (Pod(mesh.space, "control-plane", dict([c.label])), c) for c in mesh.components if c.ports
    ]
    wanted = {p for _, c in ends for p in c.ports}
    return wanted - {p for end, c in ends for p in c.ports if _reaches(net, pod, end, p)}


def _reaches(net: Network, src: Pod, dst: Pod, port: Port) -> bool:
    if dst.host_network:
        return True  # by its node's address, which is not known here
    return all(port_sets.contains(net.passing(side, src, dst), *port) for side in Direction)


def _unscraped(fleet: Fleet, net: Network, member: Member) -> bool:
    """Whether a pod is isolated, and no workload, no pod of a rule's peer and no address may read the proxy's metrics."""
    pod, numbers = member.workload.pod, METRICS.get(member.mesh.name, ())
    selecting = isolating(fleet, pod, INGRESS)
    if not selecting or not numbers:
        return False
    return not any(
        port_sets.contains(port_sets.of_rule(rule.get("ports") or [], pod), "TCP", number)
        for policy in selecting
        for rule in INGRESS.rules(policy)
        for number in numbers
    )
