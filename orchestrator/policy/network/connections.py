"""Which workloads may connect to which, on which ports: the evaluator's answers as whole sets of ports."""

import ipaddress
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from orchestrator.policy.evaluate.cilium.cilium_identities import identified
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.evaluate.pair_index import candidates
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.pod import End
from orchestrator.policy.workloads.alike import alike, named
from orchestrator.policy.workloads.fleet import Fleet, Workload


@dataclass(frozen=True)
class Range:
    """Addresses outside the cluster that every policy treats alike, both ends included."""

    first: ipaddress.IPv4Address | ipaddress.IPv6Address
    last: ipaddress.IPv4Address | ipaddress.IPv6Address

    @property
    def name(self) -> str:
        return f"{self.first}-{self.last}[External]"


Place = Workload | Range
Keep = Callable[[Place, Place], bool]
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Connection:
    """`ports` is a set as in ports.py, never empty."""

    src: Place
    dst: Place
    ports: int


def between(net: Network, src: End, dst: End) -> int:
    """Every port on which a connection is allowed, under the network's plain reading."""
    return net.over_ports(src, dst, ports.ALL)


def ranges(*fleets: Fleet) -> list[Range]:
    """The addresses outside, cut where any policy's block begins or ends; IPv6 where a policy speaks of it."""
    cut_by = [block for fleet in fleets for block in named(fleet)]
    found: list[Range] = []
    for version, whole in ((4, ipaddress.ip_network("0.0.0.0/0")), (6, ipaddress.ip_network("::/0"))):
        mine = [b for b in cut_by if b.version == version]
        if version == 6 and not mine:
            continue
        cuts = {int(b.network_address) for b in mine} | {int(b.broadcast_address) + 1 for b in mine}
        low, high = int(whole.network_address), int(whole.broadcast_address)
        edges = sorted({low, high + 1, *(c for c in cuts if low < c <= high)})
        make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        found += [Range(make(a), make(b - 1)) for a, b in pairwise(edges)]
    return found


def within(spans: Sequence[Range], block: str) -> list[Range]:
    """The parts of a block of addresses that every policy treats alike."""
    whole = ipaddress.ip_network(block, strict=False)
    low, high = whole[0], whole[-1]
    parts = [
        Range(max(s.first, low, key=int), min(s.last, high, key=int))
        for s in spans
        if s.first.version == whole.version and int(s.first) <= int(high) and int(low) <= int(s.last)
    ]
    return parts or [Range(low, high)]


def reach(
    fleet: Fleet,
    settled: Mapping[str, bool] | None = None,
    keep: Keep = lambda src, dst: True,
    replicas: bool = False,
) -> list[Connection]:
    """Every allowed connection between workloads, and with the outside; with `replicas` also among those of one."""
    found = table(fleet, settled, ranges(fleet), keep, replicas=replicas)
    rows = merged([(c.src, c.dst, c.ports) for c in found.values()])
    return sorted((Connection(*row) for row in rows), key=lambda c: (c.src.name, c.dst.name))


def table(
    fleet: Fleet,
    settled: Mapping[str, bool] | None,
    outside: Sequence[Range],
    keep: Keep = lambda src, dst: True,
    touched: frozenset[str] | None = None,
    replicas: bool = False,
) -> dict[tuple[str, str], Connection]:
    """The connections by the names of their ends; pods of one workload joined, the ranges as given.

    `touched` names the namespaces of which one end must be; None is all. With `replicas` a workload of several pods has a
    connection to itself; other tools leave these out.
    """
    net = fleet.network(settled)
    found: dict[tuple[str, str], Connection] = {}

    def add(src: Place, dst: Place, mask: int) -> None:
        if mask:
            key = (src.name, dst.name)
            found[key] = Connection(src, dst, mask | found[key].ports if key in found else mask)

    for one, other in _pairs(fleet, settled or {}, touched):
        src, dst = fleet.workloads[one], fleet.workloads[other]
        near = touched is None or src.pod.namespace in touched or dst.pod.namespace in touched
        if near and (src.name != dst.name or (replicas and src.pod.many)) and keep(src, dst):
            add(src, dst, between(net, src.pod, dst.pod))
    kinds = alike(fleet, [span.first for span in outside])
    for workload in fleet.workloads:
        masks: dict[tuple[int, bool], int] = {}
        for span, kind in (
            zip(outside, kinds, strict=True) if touched is None or workload.pod.namespace in touched else ()
        ):
            address = str(span.first)
            if keep(span, workload):
                if (kind, True) not in masks:
                    masks[kind, True] = between(net, address, workload.pod)
                add(span, workload, masks[kind, True])
            if keep(workload, span):
                if (kind, False) not in masks:
                    masks[kind, False] = between(net, workload.pod, address)
                add(workload, span, masks[kind, False])
    return found


def _pairs(
    fleet: Fleet, settled: Mapping[str, bool], touched: frozenset[str] | None
) -> Iterator[tuple[int, int]]:
    """The pairs worth asking the evaluator about; all of them where more than labels and addresses decides."""
    pods = [identified(w.pod) if settled.get("cilium") else w.pod for w in fleet.workloads]
    every = set(range(len(pods)))
    near = every if touched is None else {n for n in every if pods[n].namespace in touched}
    if fleet.further or fleet.order:
        yield from _crossed(near, every)
        return
    nodes = {n for n in every if pods[n].host_network and settled.get("host_as_node", False)}
    yield from (pair for pair in _crossed(nodes, every) if near & set(pair))
    covered = settled.get("block_covers_pods", False)
    for pair in candidates(pods, fleet.namespaces, fleet.policies, blocks=covered):
        if not nodes & set(pair):
            yield pair


def _crossed(some: set[int], every: set[int]) -> Iterator[tuple[int, int]]:
    """Each pair with one end at least among some, once."""
    for one in sorted(some):
        for other in sorted(every):
            yield one, other
            if other not in some:
                yield other, one


def merged(rows: Sequence[tuple[Place, Place, T]]) -> list[tuple[Place, Place, T]]:
    """Neighbouring ranges joined where all else is the same."""
    found: list[tuple[Place, Place, T]] = []
    open_rows: dict[tuple[object, ...], int] = {}
    for src, dst, what in rows:
        for number, (end, other) in enumerate(((src, dst), (dst, src))):
            if isinstance(end, Range):
                key = (number, int(end.first), end.first.version, other.name, what)
                at = open_rows.pop(key, None)
                if at is None:
                    at = len(found)
                    found.append((src, dst, what))
                else:
                    grown = Range((found[at][number]).first, end.last)  # type: ignore[union-attr]
                    found[at] = (grown, dst, what) if number == 0 else (src, grown, what)
                open_rows[number, int(end.last) + 1, end.last.version, other.name, what] = at
                break
        else:
            found.append((src, dst, what))
    return found
