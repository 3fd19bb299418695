"""What is refused in the ports and messages of a rule of Cilium. Source: Cilium 1.20, its CRDs and pkg/policy/api/rule_validation.go."""

from collections.abc import Iterator
from typing import Any

from orchestrator.policy.files.shape import shown
from orchestrator.policy.objects.cilium_words import ICMP_TYPES, SERVICE_NAME, icmp_type, number_of
from orchestrator.policy.schemas.fields import (
    Check,
    anything,
    dns_label,
    dns_name,
    list_of,
    mapping,
    one_of,
    string,
    strings,
)
from orchestrator.policy.schemas.tier_schema import needs

_MOST = 40  # ports of an item, and messages of one
_LAST = 65535
_LONGEST_NAME = 15
PROTOCOLS = (
    "TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH", "ANY",
)  # fmt: skip
_DEEP = ("http", "kafka", "dns", "l7")


def _at_most(value: Any, path: str) -> Iterator[str]:
    if len(value) > _MOST:
        yield f"{path}: must hold at most {_MOST} items"


def _port(value: Any, path: str) -> Iterator[str]:
    number = number_of(value)
    named = SERVICE_NAME.fullmatch(value) and len(value) <= _LONGEST_NAME
    if not named and (number is None or not 0 <= number <= _LAST):
        yield f'{path}: "{shown(value)}" is no port: a number up to {_LAST}, or a name of up to {_LONGEST_NAME} letters, digits and -'


def _end_port(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST:
        yield f"{path}: must be a whole number from 0 to {_LAST}"


def _names(value: Any, path: str) -> Iterator[str]:
    for number, name in enumerate(value):
        if name == "":
            yield f"{path}[{number}]: is empty"


def _mapping(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be a mapping"


def _one_protocol(value: Any, path: str) -> Iterator[str]:
    """Of the rules of a proxy: those of one protocol alone."""
    if "l7" in value and "l7proto" not in value:
        yield f"{path}.l7: needs l7proto"
    if len(value.keys() & {"http", "kafka", "dns", "l7proto"}) > 1:
        yield f"{path}: must hold the rules of one protocol"


def _name_or_pattern(value: Any, path: str) -> Iterator[str]:
    if len(value.keys() & {"matchName", "matchPattern"}) != 1:
        yield f"{path}: must hold exactly one of matchName and matchPattern"


def _name(more: str) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        parts = value.removesuffix(".").split(".")
        fine = all(p and all(c.isascii() and (c.isalnum() or c in more) for c in p) for p in parts)
        if not fine or len(value) > 255:
            yield f'{path}: "{shown(value)}" is no name of a host'

    return check


NAMES = list_of(
    mapping({"matchName": string(_name("-_")), "matchPattern": string(_name("-_*"))}, _name_or_pattern)
)
_HEADER = mapping(
    {
        "name": string(),
        "mismatch": one_of("LOG", "ADD", "DELETE", "REPLACE"),
        "secret": mapping({"name": string(), "namespace": string()}, needs("name")),
        "value": string(),
    },
    needs("name"),
)
_HTTP = mapping(
    {
        **dict.fromkeys(("path", "method", "host"), string()),
        "headers": list_of(string()),
        "headerMatches": list_of(_HEADER),
    }
)
_RULES = mapping(
    {
        "http": list_of(_HTTP),
        "kafka": list_of(_mapping),
        "dns": NAMES,
        "l7proto": string(),
        "l7": list_of(mapping({"rule": strings(anything, anything)})),
    },
    _one_protocol,
)
_TLS = mapping(
    {
        "secret": mapping({"name": string(), "namespace": string()}, needs("name")),
        **dict.fromkeys(("trustedCA", "certificate", "privateKey"), string()),
    },
    needs("secret"),
)
_LISTENER = mapping(
    {
        "envoyConfig": mapping(
            {"kind": one_of("CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"), "name": string(dns_name)},
            needs("name"),
        ),
        "name": string(dns_label),
        "priority": anything,
    },
    needs("envoyConfig", "name"),
)
_PORTS = {
    "ports": list_of(
        mapping({"port": string(_port), "endPort": _end_port, "protocol": one_of(*PROTOCOLS)}, needs("port")),
        _at_most,
    )
}


def ports(ingress: bool, deny: bool) -> Check:
    """The `toPorts` of a rule that allows, or denies, where proxies have nothing to say."""
    if deny:
        return list_of(mapping(_PORTS))
    proxied = {
        "rules": _RULES,
        "serverNames": list_of(string(), _names),
        "terminatingTLS": _TLS,
        "originatingTLS": _TLS,
        "listener": _LISTENER,
    }
    return list_of(mapping({**_PORTS, **proxied}, _inward if ingress else _proxied))


def is_deep(rules: Any) -> bool:
    """Whether a proxy has rules; an empty list of them counts as well."""
    return isinstance(rules, dict) and any(rules.get(part) is not None for part in _DEEP)


def _inward(value: Any, path: str) -> Iterator[str]:
    """At ingress there are neither names to ask for nor listeners to choose."""
    rules = value.get("rules")
    if isinstance(rules, dict) and rules.get("dns"):
        yield f"{path}.rules.dns: is for egress alone"
    if "listener" in value:
        yield f"{path}.listener: is for egress alone"
    yield from _proxied(value, path)


def _proxied(value: Any, path: str) -> Iterator[str]:
    rules, given = value.get("rules"), value.get("ports") or []
    if not is_deep(rules) or not isinstance(given, list):
        return
    dns = rules.get("dns")
    if dns is not None and not given:
        yield f"{path}.ports: must be given with DNS rules"
    if value.get("serverNames") and "terminatingTLS" not in value:
        yield f"{path}.serverNames: with rules of a proxy they need terminatingTLS"
    if "listener" in value:
        yield f"{path}.listener: may not stand together with rules"
    for number, entry in enumerate(given):
        if isinstance(entry, dict):
            yield from _of_proxy(entry, bool(dns), f"{path}.ports[{number}]")


def _of_proxy(entry: dict[str, Any], dns: bool, path: str) -> Iterator[str]:
    """Of a port on which a proxy decides."""
    number = number_of(entry["port"]) if isinstance(entry.get("port"), str) else None
    end, protocol = entry.get("endPort"), entry.get("protocol") or "ANY"
    if not dns and protocol != "TCP":
        yield f"{path}{'.protocol' if 'protocol' in entry else ''}: rules of a proxy, but for DNS, are for TCP alone: write TCP"
    if number == 0:
        yield f"{path}.port: with rules of a proxy it may not be 0"
    elif dns and number is not None and isinstance(end, int) and end > number:
        yield f"{path}.endPort: DNS rules are for single ports"


def _message(value: Any, path: str) -> Iterator[str]:
    family, kind = value.get("family") or "IPv4", value.get("type")
    if kind is None:
        yield f"{path}.type: is required"
    elif isinstance(family, str) and family in ICMP_TYPES and icmp_type(kind, family) is None:
        yield f'{path}.type: "{shown(kind)}" is no type of {family}: a number up to 255, or a name such as EchoRequest'


def _type(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        yield f"{path}: must be a number or a name"


MESSAGES = list_of(
    mapping(
        {
            "fields": list_of(
                mapping({"family": one_of(*ICMP_TYPES), "type": _type}, _message),
                _at_most,
            )
        }
    )
)
