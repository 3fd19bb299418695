"""At which addresses policies see what stands on the host's network: no selector of pods matches it on any known CNI."""

import ipaddress
from collections.abc import Iterable

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Fleet


def node_ranges(fleet: Fleet, platform: Platform) -> list[str]:
    """The nodes' addresses as ranges: those that are given, else those that pods and Nodes are known to have."""
    if platform.nodes:
        return sorted({str(ipaddress.ip_network(n, strict=False)) for n in platform.nodes})
    pods = (w.pod for w in fleet.workloads)
    known = {a for p in pods for a in (p.node_ip, *p.other_node_ips) if a}
    known |= set(_of_nodes(fleet.beside))
    return [str(ipaddress.ip_network(a)) for a in sorted(known, key=_order)]


def _of_nodes(documents: Iterable[Document]) -> Iterable[str]:
    for document in documents:
        if document.obj["kind"] != "Node" or document.obj["apiVersion"] != "v1":
            continue
        for entry in (document.obj.get("status") or {}).get("addresses") or []:
            if entry.get("type") in ("InternalIP", "ExternalIP"):
                yield str(ipaddress.ip_address(entry["address"]))


def _order(address: str) -> tuple[int, int]:
    found = ipaddress.ip_address(address)
    return found.version, int(found)
