"""Sets of protocol and port as bits, 65,536 of each protocol, so that sets are plain integers.

TCP, UDP and SCTP have ports; of ICMP and ICMPv6, bit `256 * type + code` stands for a type and code.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from orchestrator.policy.objects.pod import End, Pod

PROTOCOLS = ("TCP", "UDP", "SCTP")
ICMPS = ("ICMP", "ICMPv6")
SIZE = 1 << 16
NONE = 0


@lru_cache(maxsize=4096)
def span(protocol: str, first: int = 1, last: int = SIZE - 1) -> int:
    """The ports `first` to `last` of a protocol; empty for another protocol, or where they are reversed."""
    if protocol not in PROTOCOLS or last < first:
        return NONE
    return ((1 << (last - first + 1)) - 1) << (PROTOCOLS.index(protocol) * SIZE + first)


def icmp(protocol: str = "ICMP", kind: int | None = None, code: int | None = None) -> int:
    """The messages of ICMP, or ICMPv6, of a type and a code; of all where none is given."""
    at = (len(PROTOCOLS) + ICMPS.index(protocol)) * SIZE
    if kind is None:
        return ((1 << SIZE) - 1) << at
    return (((1 << 256) - 1) if code is None else 1 << code) << (at + 256 * kind)


@lru_cache(maxsize=4096)
def asked(protocol: str, port: int) -> int:
    """What a question means: a port, or every code of a type of ICMP."""
    return icmp(protocol, port) if protocol in ICMPS else span(protocol, port, port)


ALL = span("TCP") | span("UDP") | span("SCTP")
ANY = ALL | icmp("ICMP") | icmp("ICMPv6")  # what no rule says a port of


def contains(ports: int, protocol: str, port: int) -> bool:
    """Whether a port is in the set."""
    return bool(ports & span(protocol, port, port))


def of_rule(entries: Sequence[Mapping[str, Any]], dst: End) -> int:
    """The set that the `ports` of a NetworkPolicy's rule stand for at a destination."""
    if not entries:
        return ANY
    found = NONE
    for entry in entries:
        protocol, wanted = entry.get("protocol", "TCP"), entry.get("port")
        if wanted is None:
            found |= span(protocol)
        elif isinstance(wanted, str):
            found |= _named(wanted, dst, protocol)
        else:
            found |= span(protocol, wanted, entry.get("endPort", wanted))
    return found


def of_tier(entries: Sequence[Mapping[str, Any]], dst: End) -> int:
    """The set that the `protocols` of a ClusterNetworkPolicy's rule stand for at a destination."""
    if not entries:
        return ANY
    found = NONE
    for entry in entries:
        if entry.get("destinationNamedPort") is not None:
            found |= _named(entry["destinationNamedPort"], dst, "")
        for protocol in PROTOCOLS:
            body = entry.get(protocol.lower())
            if body is None:
                continue
            wanted = body.get("destinationPort") or {}
            given = wanted.get("range") or {}
            if "number" in wanted:
                found |= span(protocol, wanted["number"], wanted["number"])
            elif given:
                found |= span(protocol, given["start"], given["end"])
            else:
                found |= span(protocol)
    return found


def of_admin(entries: Sequence[Mapping[str, Any]], dst: End) -> int:
    """The set that the `ports` of an AdminNetworkPolicy's rule stand for at a destination."""
    if not entries:
        return ANY
    found = NONE
    for entry in entries:
        one, several = entry.get("portNumber"), entry.get("portRange")
        if entry.get("namedPort") is not None:
            found |= _named(entry["namedPort"], dst, "")
        elif one is not None:
            found |= span(one.get("protocol") or "TCP", one["port"], one["port"])
        elif several is not None:
            found |= span(several.get("protocol") or "TCP", several["start"], several["end"])
    return found


def _named(name: str, dst: End, protocol: str) -> int:
    declared = dst.ports if isinstance(dst, Pod) else ()
    found = NONE
    for port in declared:
        if port.name == name and protocol in ("", port.protocol):
            found |= span(port.protocol, port.port, port.port)
    return found


def runs(ports: int, protocol: str) -> Iterator[tuple[int, int]]:
    """The first and last ports of each run of a protocol's ports."""
    bits = (ports & span(protocol)) >> (PROTOCOLS.index(protocol) * SIZE)
    while bits:
        first = (bits & -bits).bit_length() - 1
        length = (~(bits >> first) & ((bits >> first) + 1)).bit_length() - 1
        yield first, first + length - 1
        bits = bits >> (first + length) << (first + length)


def text(ports: int) -> str:
    """`all`, `none`, or such as `TCP 80,443-450,UDP 53`; a protocol alone stands for all of its ports."""
    if ports & ALL == ALL:
        return "all"
    parts = []
    for protocol in sorted(PROTOCOLS):
        found = list(runs(ports, protocol))
        if found == [(1, SIZE - 1)]:
            parts.append(protocol)
        elif found:
            parts.append(f"{protocol} " + ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found))
    return ",".join(parts) or "none"


def parsed(told: str) -> int:
    """The set that `text` told of; what was cut off at its end, or is of another form, is left out."""
    if told in ("all", "none"):
        return ALL if told == "all" else NONE
    found, protocol = NONE, ""
    for part in told.split(","):
        name, _, rest = part.partition(" ")
        if name in PROTOCOLS:
            protocol, part = name, rest
            found |= NONE if rest else span(protocol)
        first, _, last = part.partition("-")
        if protocol and first.isdigit() and (last or first).isdigit():
            low, high = int(first), int(last or first)
            found |= span(protocol, low, high) if 0 < low <= high < SIZE else NONE
    return found
