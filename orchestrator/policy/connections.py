"""Which workloads may connect to which, on which ports: the evaluator's answers as whole sets of ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from orchestrator.policy import ports
from orchestrator.policy.evaluator import Network
from orchestrator.policy.fleet import Fleet, Workload
from orchestrator.policy.pod import End

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Range:
    """Addresses outside the cluster that every policy treats alike, both ends included."""

    first: ipaddress.IPv4Address | ipaddress.IPv6Address
    last: ipaddress.IPv4Address | ipaddress.IPv6Address

    @property
    def name(self) -> str:
        return f"{self.first}-{self.last}[External]"


@dataclass(frozen=True)
class Connection:
    """`ports` is a set as in ports.py, never empty."""

    src: Workload | Range
    dst: Workload | Range
    ports: int


def between(net: Network, src: End, dst: End) -> int:
    """Every port on which a connection is allowed, under the network's plain reading."""
    return net.over_ports(src, dst, ports.ALL)


def ranges(fleet: Fleet) -> list[Range]:
    """The addresses outside, cut where any policy's block begins or ends; IPv6 where a policy speaks of it."""
    blocks = list(_blocks(fleet))
    found: list[Range] = []
    for version, whole in ((4, ipaddress.ip_network("0.0.0.0/0")), (6, ipaddress.ip_network("::/0"))):
        mine = [b for b in blocks if b.version == version]
        if version == 6 and not mine:
            continue
        cuts = {int(b.network_address) for b in mine} | {int(b.broadcast_address) + 1 for b in mine}
        low, high = int(whole.network_address), int(whole.broadcast_address)
        edges = sorted({low, high + 1, *(c for c in cuts if low < c <= high)})
        make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        found += [Range(make(a), make(b - 1)) for a, b in pairwise(edges)]
    return found


def _blocks(fleet: Fleet) -> Iterator[Block]:
    for policy in [*fleet.policies, *fleet.cluster]:
        spec = policy["spec"]
        rules = [*(spec.get("ingress") or []), *(spec.get("egress") or [])]
        for peer in (p for r in rules for p in [*(r.get("from") or []), *(r.get("to") or [])]):
            block = peer.get("ipBlock") or {}
            texts = [
                *([block["cidr"]] if block else []),
                *(block.get("except") or []),
                *(peer.get("networks") or []),
            ]
            yield from (ipaddress.ip_network(t, strict=False) for t in texts)


def reach(
    fleet: Fleet,
    settled: dict[str, bool] | None = None,
    keep: Callable[[Workload | Range, Workload | Range], bool] = lambda src, dst: True,
) -> list[Connection]:
    """Every allowed connection between workloads, and with the outside; not those of a workload to itself."""
    net, outside = fleet.network(settled), ranges(fleet)
    found: list[Connection] = []
    for src in fleet.workloads:
        for dst in fleet.workloads:
            if src.name != dst.name and keep(src, dst):
                found += _one(net, src, dst, src.pod, dst.pod)
    for workload in fleet.workloads:
        for span in outside:
            address = str(span.first)
            if keep(span, workload):
                found += _one(net, span, workload, address, workload.pod)
            if keep(workload, span):
                found += _one(net, workload, span, workload.pod, address)
    return _merged(found)


def _one(net: Network, src: Any, dst: Any, src_end: End, dst_end: End) -> list[Connection]:
    allowed = between(net, src_end, dst_end)
    return [Connection(src, dst, allowed)] if allowed else []


def _merged(found: Sequence[Connection]) -> list[Connection]:
    """Pods of one workload joined, and neighbouring ranges that may do the same."""
    joined: dict[tuple[str, str], Connection] = {}
    for c in found:
        key = (c.src.name, c.dst.name)
        joined[key] = Connection(c.src, c.dst, c.ports | (joined[key].ports if key in joined else 0))
    whole: list[Connection] = []
    for made in joined.values():
        near = next((c for c in whole if _touches(c, made)), None) if _outside(made) else None
        if near is None:
            whole.append(made)
        else:
            whole[whole.index(near)] = _grown(near, made)
    return sorted(whole, key=lambda c: (c.src.name, c.dst.name))


def _outside(connection: Connection) -> bool:
    return isinstance(connection.src, Range) or isinstance(connection.dst, Range)


def _touches(left: Connection, right: Connection) -> bool:
    for mine, theirs, one, other in (
        (left.src, right.src, left.dst, right.dst),
        (left.dst, right.dst, left.src, right.src),
    ):
        if (
            isinstance(mine, Range)
            and isinstance(theirs, Range)
            and left.ports == right.ports
            and one == other
        ):
            return mine.last.version == theirs.first.version and int(mine.last) + 1 == int(theirs.first)
    return False


def _grown(left: Connection, right: Connection) -> Connection:
    def end(mine: Workload | Range, theirs: Workload | Range) -> Workload | Range:
        return (
            Range(mine.first, theirs.last) if isinstance(mine, Range) and isinstance(theirs, Range) else mine
        )

    return Connection(end(left.src, right.src), end(left.dst, right.dst), left.ports)
