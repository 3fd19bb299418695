"""The addresses of a Service, as EndpointSlices and Endpoints give them."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.definitions.needed import space_of

OF_SERVICE = "kubernetes.io/service-name"
Key = tuple[str, str]
Entry = tuple[str, tuple[tuple[str, str, int], ...]]


def endpoints(obj: Mapping[str, Any]) -> Iterator[tuple[Key, Entry]]:
    """The Service's namespace and name, and an address with its ports: name, protocol, number."""
    space, meta = space_of(obj), obj["metadata"]
    if obj["kind"] == "EndpointSlice":
        name = str((meta.get("labels") or {}).get(OF_SERVICE, ""))
        ports = _ports(obj.get("ports") or [])
        for one in obj.get("endpoints") or []:
            for address in one.get("addresses") or []:
                if name and obj.get("addressType") != "FQDN":
                    yield (space, name), (str(ipaddress.ip_address(address)), ports)
    elif obj["kind"] == "Endpoints":
        for subset in obj.get("subsets") or []:
            ports = _ports(subset.get("ports") or [])
            for one in [*(subset.get("addresses") or []), *(subset.get("notReadyAddresses") or [])]:
                yield (space, str(meta["name"])), (str(ipaddress.ip_address(one["ip"])), ports)


def _ports(entries: Any) -> tuple[tuple[str, str, int], ...]:
    return tuple(
        (str(e.get("name") or ""), str(e.get("protocol") or "TCP"), int(e["port"]))
        for e in entries
        if e.get("port")
    )
