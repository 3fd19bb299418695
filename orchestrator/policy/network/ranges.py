"""Addresses outside the cluster, cut where any policy tells them apart."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.workloads.fleet import Fleet

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Range:
    """Addresses outside the cluster that every policy treats alike, both ends included."""

    first: Address
    last: Address

    @cached_property
    def name(self) -> str:
        return f"{self.first}-{self.last}[External]"


def ranges(*fleets: Fleet, settled: Mapping[str, bool] | None = None) -> list[Range]:
    """The addresses outside, cut where any policy's block begins or ends; IPv6 where a policy speaks of it.

    What is asked of a range is asked of its first address: where a block begins with one that is like no other, it stands alone.
    """
    named = [networks for fleet in fleets for networks in fleet.network(settled).networks()]
    lone = {ipaddress.ip_address(a) for fleet in fleets for a in lone_addresses(fleet, settled)}
    found = _cut(4, named, lone)
    return [*found, *_cut(6, named, lone)] if any(networks.begins(6) for networks in named) else found


def lone_addresses(fleet: Fleet, settled: Mapping[str, bool] | None) -> Collection[str]:
    """Those that are like no other: of nodes, which their own pods let in, and of what the CNI knows."""
    return {*fleet.node_addresses, *fleet.network(settled).order.lone_addresses()}


def _cut(version: int, named: Iterable[Networks], lone: Iterable[Address]) -> list[Range]:
    last = (1 << (32 if version == 4 else 128)) - 1
    cuts, begins = {0, last + 1}, set[int]()
    for networks in named:
        begins.update(networks.begins(version))
        for one, other in networks.ranges(version):
            cuts |= {one, other + 1}
    for address in lone:
        if address.version == version and int(address) in cuts | begins:
            cuts |= {int(address), int(address) + 1}
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
