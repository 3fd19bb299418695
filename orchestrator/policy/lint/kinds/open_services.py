"""`toServices` that means no Service: with ports Cilium takes that for every destination."""

from collections.abc import Collection, Iterator
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.cilium.cilium_peers import of_rule as peers_of
from orchestrator.policy.evaluate.cilium.cilium_ports import of_rule as ports_of
from orchestrator.policy.evaluate.cilium.cilium_services import Referred
from orchestrator.policy.files.manifest import space_of
from orchestrator.policy.files.nearest import likely
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.of_api import Part, of_cilium, specs
from orchestrator.policy.objects.directions import EGRESS
from orchestrator.policy.workloads.fleet import Fleet

# Every cluster has them, and manifests of applications do not.
_OF_CLUSTER = frozenset({"kubernetes", "kube-dns", "coredns"})


def opened(fleet: Fleet) -> Iterator[Finding]:
    """Rules with ports whose every Service would stand among those that are known here, and does not."""
    services = {(space_of(o), str(o["metadata"]["name"])) for o in fleet.referred if o["kind"] == "Service"}
    referred = Referred(fleet.referred)
    for policy in of_cilium(fleet) if services else ():
        for path, spec in specs(policy):
            for name in ("egress", "egressDeny"):
                for number, rule in enumerate(spec.get(name) or ()):
                    peers = peers_of(rule, EGRESS, "", CiliumAgent(), referred)
                    entries = rule.get("toServices") or ()
                    if not peers.unresolved or not _names_ports(rule):
                        continue
                    if all(_would_stand(entry, services) for entry in entries):
                        does = "closed to" if name == "egressDeny" else "open to"
                        text = f"{path}.{name}[{number}].toServices means no Service: its ports are {does} every destination"
                        yield of_policy(fleet, "NPC035", policy, text, _meant(entries, services))


def _names_ports(rule: Part) -> bool:
    ports = ports_of(rule)
    return ports is not None and any(p.fixed or p.named for _, p in ports.items)


def _would_stand(entry: Part, services: Collection[tuple[str, str]]) -> bool:
    """Whether the manifests hold Services of the namespace that it names."""
    given: dict[str, Any] = entry.get("k8sService") or entry.get("k8sServiceSelector") or {}
    space = given.get("namespace")
    return space in {s for s, _ in services} if space else given.get("serviceName") not in _OF_CLUSTER


def _meant(entries: Collection[Part], services: Collection[tuple[str, str]]) -> str:
    for entry in entries:
        named = entry.get("k8sService") or {}
        spaces = {named["namespace"]} if named.get("namespace") else {s for s, _ in services}
        near = likely(str(named.get("serviceName")), {name for space, name in services if space in spaces})
        if named and near:
            return f"did you mean the Service {near}?"
    return ""
