"""Addresses that no rule tells apart: what policies say of one of them, they say of all."""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.fleet import Fleet

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network


def _blocks(peer: Mapping[str, Any]) -> Iterator[Block]:
    """The block of addresses that a peer of a rule names, and its exceptions."""
    block = peer.get("ipBlock") or {}
    texts = [*([block["cidr"]] if block else []), *(block.get("except") or [])]
    yield from (ipaddress.ip_network(t, strict=False) for t in texts)


def named(fleet: Fleet) -> Iterator[Block]:
    """Every block that a rule of any policy names."""
    yield from (ipaddress.ip_network(text, strict=False) for text in sorted({*fleet.network().blocks()}))


def _peers(fleet: Fleet) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The peers of each rule of each policy."""
    for policy in [*fleet.policies, *fleet.further]:
        yield from (side.peers_of(rule) for side in Direction for rule in side.rules(policy))


def alike(fleet: Fleet, addresses: Sequence[Address]) -> list[int]:
    """For each of some addresses, in ascending order by family: a number that those share of which every rule says the same.

    The address of a node is like no other.
    """
    marks: list[list[int]] = [[] for _ in addresses]
    spans = {v: [n for n, a in enumerate(addresses) if a.version == v] for v in (4, 6)}
    values = {v: [int(addresses[n]) for n in numbers] for v, numbers in spans.items()}

    def covered(block: Block) -> list[int]:
        known = values[block.version]
        low = bisect_left(known, int(block.network_address))
        return spans[block.version][low : bisect_right(known, int(block.broadcast_address))]

    def meant(peer: Mapping[str, Any]) -> set[int]:
        first, *others = _blocks(peer) if "ipBlock" in peer else (None,)
        found = set(covered(first)).difference(*map(covered, others)) if first is not None else set()
        return found.union(
            *(covered(ipaddress.ip_network(t, strict=False)) for t in peer.get("networks") or [])
        )

    by_rule: Iterator[Collection[int]] = (set().union(*map(meant, given)) for given in _peers(fleet))
    for number, of_rule in enumerate(map(covered, named(fleet)) if fleet.order else by_rule):
        for at in of_rule:
            marks[at].append(number)
    kinds: dict[tuple[object, ...], int] = {}
    found = []
    for address, rules in zip(addresses, marks, strict=True):
        mine = str(address) if str(address) in fleet.node_addresses else ""
        found.append(kinds.setdefault((address.version, mine, *rules), len(kinds)))
    return found
