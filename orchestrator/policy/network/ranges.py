"""Addresses outside the cluster, cut where any policy tells them apart."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.policy.workloads.fleet import Fleet

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Range:
    """Addresses outside the cluster that every policy treats alike, both ends included."""

    first: Address
    last: Address

    @property
    def name(self) -> str:
        return f"{self.first}-{self.last}[External]"


def ranges(*fleets: Fleet, settled: Mapping[str, bool] | None = None) -> list[Range]:
    """The addresses outside, cut where any policy's block begins or ends; IPv6 where a policy speaks of it.

    What is asked of a range is asked of its first address: where that is a node's, which its own pods let in, it stands alone.
    """
    named = [networks for fleet in fleets for networks in fleet.network(settled).networks()]
    nodes = sorted({ipaddress.ip_address(a) for fleet in fleets for a in fleet.node_addresses}, key=int)
    found = _cut(4, (span for n in named for span in n.ranges(4)), nodes)
    of_six = [span for n in named for span in n.ranges(6)]
    return [*found, *_cut(6, of_six, nodes)] if of_six else found


def _cut(version: int, spans: Iterable[tuple[int, int]], nodes: Iterable[Address]) -> list[Range]:
    last = (1 << (32 if version == 4 else 128)) - 1
    cuts = {0, last + 1}
    for one, other in spans:
        cuts |= {one, other + 1}
    for node in nodes:
        if node.version == version and int(node) in cuts:
            cuts.add(int(node) + 1)
    make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return [Range(make(a), make(b - 1)) for a, b in pairwise(sorted(cuts))]


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
