"""What policies see of the two ends of a connection."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property


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
    `scraped` is a port that its annotations tell Prometheus to read; no policy sees that. `many` says that it stands for
    several pods at a time, of which one to another is no pod to itself. `account` is the name of its service account, `kind` that of
    its owner.
    """

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ip: str = ""
    ports: tuple[NamedPort, ...] = ()
    node_ip: str = ""
    host_network: bool = False
    scraped: int = 0
    other_ips: tuple[str, ...] = ()
    other_node_ips: tuple[str, ...] = ()
    many: bool = False
    account: str = "default"
    kind: str = field(default="", compare=False)

    def __hash__(self) -> int:
        return hash(
            (self.namespace, self.name, self.ip)
        )  # asked for very often, and few pods differ in the rest alone

    @cached_property
    def by_family(self) -> Mapping[int, Pod]:
        """The pod with the addresses of one IP family alone, for each of its own; of either where it has none yet."""
        nodes = {_family(a): a for a in reversed((self.node_ip, *self.other_node_ips)) if a}
        ips = {_family(a): a for a in reversed((self.ip, *self.other_ips)) if a}
        return {
            f: replace(self, ip=ips.get(f, ""), node_ip=nodes.get(f, ""), other_ips=(), other_node_ips=())
            for f in ips or (4, 6)
        }


# A str is an address outside the cluster, or a node's.
End = Pod | str


def of_one(src: End, dst: End) -> bool:
    """Whether both are of one workload."""
    return (
        isinstance(src, Pod)
        and isinstance(dst, Pod)
        and (src.namespace, src.name, src.kind) == (dst.namespace, dst.name, dst.kind)
    )


def one_pod(src: End, dst: End) -> bool:
    """Whether both are one pod; of a workload with several, one is asked about with another one."""
    return of_one(src, dst) and isinstance(src, Pod) and not src.many


def families(src: End, dst: End) -> Iterator[tuple[End, End]]:
    """Both ends with the addresses of one IP family, for each that they share; as they are where they have one alone."""
    if not any(isinstance(e, Pod) and (e.other_ips or e.other_node_ips) for e in (src, dst)):
        yield src, dst
        return
    known = [_views(e) for e in (src, dst)]
    shared = {4, 6}.intersection(*(k for k in known if k))
    for family in sorted(shared):
        one, other = (views.get(family, end) for views, end in zip(known, (src, dst), strict=True))
        yield one, other
    if not shared:
        yield src, dst


def _views(end: End) -> Mapping[int, End]:
    """The end as each of its families sees it; empty where it has no address."""
    if isinstance(end, Pod):
        return end.by_family
    return {_family(end): end} if end else {}


def _family(address: str) -> int:
    return ipaddress.ip_address(address).version
