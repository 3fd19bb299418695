"""The ports and messages that a rule of Cilium names. Sources: Cilium 1.20, pkg/policy/api/l4.go and icmp.go, pkg/types/portmap.go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.cilium_words import icmp_type, number_of
from orchestrator.policy.objects.pod import End, Pod

Part = Mapping[str, Any]
_FAMILIES = {"IPv4": "ICMP", "IPv6": "ICMPv6"}
_MESSAGES = {"ICMP": "ICMP", "ICMPV6": "ICMPv6"}  # as protocols of toPorts


@dataclass(frozen=True)
class Ports:
    """What one item of toPorts or icmps names: a set, and ports by the names that the destination has for them."""

    fixed: int
    named: tuple[tuple[str, tuple[str, ...]], ...] = ()
    proxied: bool = False  # a proxy decides on the request: L7

    def at(self, dst: End) -> int:
        """The set at a destination."""
        return self.fixed | self._by_name(dst) if self.named else self.fixed

    def _by_name(self, dst: End) -> int:
        found = port_sets.NONE
        for port in dst.ports if isinstance(dst, Pod) else ():
            if any(
                port.name.lower() == name and port.protocol in protocols for name, protocols in self.named
            ):
                found |= port_sets.span(port.protocol, port.port, port.port)
        return found


@dataclass(frozen=True)
class RulePorts:
    """Of one rule, each with the field that says so."""

    items: tuple[tuple[str, Ports], ...]

    def at(self, dst: End) -> int:
        """The set at a destination."""
        if not self._by_names:
            return self._fixed
        found = port_sets.NONE
        for _, ports in self.items:
            found |= ports.at(dst)
        return found

    @cached_property
    def _by_names(self) -> bool:
        return any(ports.named for _, ports in self.items)

    @cached_property
    def _fixed(self) -> int:
        found = port_sets.NONE
        for _, ports in self.items:
            found |= ports.fixed
        return found

    def proxied(self, dst: End, asked: int) -> bool:
        """Whether a proxy decides on requests to any of some ports."""
        return any(ports.proxied and ports.at(dst) & asked for _, ports in self.items)

    def field(self, dst: End, asked: int) -> str:
        """The first item that has any of some ports, where there are several; else empty."""
        if len(self.items) < 2:
            return ""
        return next((field for field, ports in self.items if ports.at(dst) & asked), "")


EVERY = RulePorts((("", Ports(port_sets.ANY)),))
NO_PORT = RulePorts(())


def of_rule(rule: Part) -> RulePorts | None:
    """What a rule names; None where it names no ports at all, which means every one."""
    entries, messages = rule.get("toPorts") or (), rule.get("icmps") or ()
    if not entries and not messages:
        return None
    items = [
        (f"toPorts[{at}].ports[{number}]", _of_port(*_said(port), is_proxied(entry)))
        for at, entry in enumerate(entries)
        for number, port in enumerate(entry.get("ports") or ())
    ]
    items += [
        (f"icmps[{at}].fields[{number}]", Ports(_message(field)))
        for at, entry in enumerate(messages)
        for number, field in enumerate(entry.get("fields") or ())
    ]
    return RulePorts(tuple(items))


def is_proxied(entry: Part) -> bool:
    """Whether a proxy decides beyond the ports of an item of toPorts."""
    rules = entry.get("rules") or {}
    deep = any(rules.get(part) for part in ("http", "dns", "kafka", "l7", "l7proto"))
    return deep or any(
        entry.get(part) for part in ("serverNames", "listener", "terminatingTLS", "originatingTLS")
    )


def _said(entry: Part) -> tuple[str, str, int]:
    """Protocol, port and last port."""
    return str(entry.get("protocol") or "ANY").upper(), str(entry.get("port", "")), entry.get("endPort") or 0


@lru_cache(4096)
def _of_port(protocol: str, text: str, end: int, proxied: bool) -> Ports:
    number = number_of(text)
    if protocol in _MESSAGES:
        kind = _MESSAGES[protocol]
        return Ports(port_sets.icmp(kind, number) if number else port_sets.NONE, (), proxied)
    protocols = port_sets.PROTOCOLS if protocol == "ANY" else (protocol,)
    if number is None:
        return Ports(port_sets.NONE, ((text.lower(), protocols),), proxied)
    first, last = (number, max(number, end)) if number else (1, port_sets.SIZE - 1)
    return Ports(_spans(protocols, first, last), (), proxied)


def _spans(protocols: Sequence[str], first: int, last: int) -> int:
    found = port_sets.NONE
    for protocol in protocols:
        found |= port_sets.span(protocol, first, last)
    return found


def _message(field: Part) -> int:
    family = field.get("family") or "IPv4"
    kind = icmp_type(field.get("type"), family)
    return port_sets.NONE if kind is None else port_sets.icmp(_FAMILIES[family], kind)
