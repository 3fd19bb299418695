"""What policies see of the two ends of a connection."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class NamedPort:
    """A declared container port."""

    name: str
    port: int
    protocol: str = "TCP"


@dataclass(frozen=True)
class Pod:
    """What policies see of a pod; `node_ip` is the address of the node that it runs on.

    `other_ips` are those of further families, the pod's and its node's: a connection is of one family.
    `scraped` is a port that its annotations tell Prometheus to read; no policy sees that.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ip: str = ""
    ports: tuple[NamedPort, ...] = ()
    node_ip: str = ""
    host_network: bool = False
    scraped: int = 0
    other_ips: tuple[str, ...] = ()
    other_node_ips: tuple[str, ...] = ()


# A str is an address outside the cluster, or a node's.
End = Pod | str


def families(src: End, dst: End) -> Iterator[tuple[End, End]]:
    """Both ends with the addresses of one IP family, for each that they share; as they are where they have one alone."""
    if not any(isinstance(e, Pod) and (e.other_ips or e.other_node_ips) for e in (src, dst)):
        yield src, dst
        return
    known = [_families(e) for e in (src, dst)]
    shared = {4, 6}.intersection(*(k for k in known if k))
    for family in sorted(shared):
        yield _of_family(src, family), _of_family(dst, family)
    if not shared:
        yield src, dst


def _families(end: End) -> set[int]:
    addresses = (end.ip, *end.other_ips) if isinstance(end, Pod) else (end,)
    return {_family(a) for a in addresses if a}


def _of_family(end: End, family: int) -> End:
    if not isinstance(end, Pod):
        return end
    mine = [a for a in (end.ip, *end.other_ips) if a and _family(a) == family]
    nodes = [a for a in (end.node_ip, *end.other_node_ips) if a and _family(a) == family]
    ip, node_ip = (found[0] if found else "" for found in (mine, nodes))
    return replace(end, ip=ip, node_ip=node_ip, other_ips=(), other_node_ips=())


def _family(address: str) -> int:
    return ipaddress.ip_address(address).version
