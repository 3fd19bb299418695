"""Rules for the port of a Service, which no pod listens on: policies see the port that it is translated to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.definitions.services import Service, at_pod, sound
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import INGRESS, rules
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.workloads.comparable import means_unknown
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import meant, selected


@dataclass(frozen=True)
class Mapped:
    """One port of a Service: the numbers that clients use, and the pods behind with the ports that they get."""

    name: str
    numbers: tuple[int, ...]
    protocol: str
    targets: tuple[tuple[Pod, int], ...]


def service_ports(fleet: Fleet) -> Iterator[Finding]:
    """Rules whose numbers are a Service's, while no destination declares them."""
    mapped = [m for service, _ in sound(fleet.beside, fleet) for m in _mapped(service)]
    if not mapped:
        return
    for policy in fleet.policies:
        for rule in rules(policy):
            given = [peer for peer in rule.peers if "ipBlock" not in peer]
            inward = rule.direction is INGRESS
            if any(means_unknown(fleet, policy, peer) for peer in ([{}] if inward else given)):
                continue
            found = [pod for peer in given for pod in meant(fleet, policy, peer)]
            targets = selected(fleet, policy) if inward else found
            for text in _wrong(rule.ports, targets, mapped):
                yield of_policy(fleet, "NPC014", policy, f"{rule.place} {text}")


def _mapped(service: Service) -> Iterator[Mapped]:
    if service.headless:
        return  # it translates nothing
    for entry in service.ports:
        protocol = str(entry.get("protocol", "TCP"))
        numbers = tuple(n for n in (entry.get("port"), entry.get("nodePort")) if isinstance(n, int))
        targets = tuple(
            (w.pod, port) for w in service.behind for _, port in at_pod(w.pod, entry["targetPort"], protocol)
        )
        if targets:
            yield Mapped(f"{service.namespace}/{service.name}", numbers, protocol, targets)


def _wrong(
    entries: Sequence[Mapping[str, Any]], targets: Sequence[Pod], mapped: Sequence[Mapped]
) -> Iterator[str]:
    mine = {id(pod) for pod in targets}
    listened = {(p.protocol, p.port) for pod in targets for p in pod.ports}
    listened |= {(m.protocol, port) for m in mapped for pod, port in m.targets if id(pod) in mine}
    for entry in entries:
        protocol, first = entry.get("protocol", "TCP"), entry.get("port")
        if not isinstance(first, int):
            continue
        last = entry.get("endPort", first)
        if any(name == protocol and first <= port <= last for name, port in listened):
            continue
        for one in mapped:
            behind = [(pod, port) for pod, port in one.targets if id(pod) in mine]
            used = [n for n in one.numbers if one.protocol == protocol and first <= n <= last]
            if not used or not behind or all(_opened(entries, pod, protocol, port) for pod, port in behind):
                continue
            reached = ", ".join(sorted({str(port) for _, port in behind}))
            yield (
                f"names the port {used[0]}/{protocol}, which no destination declares: Service {one.name} maps it to "
                f"{reached}, and policies see the pod's port"
            )
            break


def _opened(entries: Sequence[Mapping[str, Any]], pod: Pod, protocol: str, port: int) -> bool:
    return port_sets.contains(port_sets.of_rule(entries, pod), protocol, port)
