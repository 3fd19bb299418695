"""At which addresses policies see what stands on the host's network: no selector of pods matches it on any known CNI."""

import ipaddress

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.workloads.fleet import Fleet


def node_ranges(fleet: Fleet, platform: Platform) -> list[str]:
    """The nodes' addresses as ranges: those that are given, else those that pods and Nodes are known to have."""
    if platform.nodes:
        return sorted({str(ipaddress.ip_network(n, strict=False)) for n in platform.nodes})
    return [str(ipaddress.ip_network(a)) for a in sorted(fleet.node_addresses, key=_order)]


def _order(address: str) -> tuple[int, int]:
    found = ipaddress.ip_address(address)
    return found.version, int(found)
