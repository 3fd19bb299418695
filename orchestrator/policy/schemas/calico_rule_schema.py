"""What Calico refuses in one rule of a policy of projectcalico.org/v3. Source: its CRDs with their rules, and its validator."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from orchestrator.policy.files.shape import shown
from orchestrator.policy.objects.calico_selectors import GLOBAL, SelectorError, parsed
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.schemas.fields import (
    Check,
    anything,
    dns_name,
    list_of,
    mapping,
    once,
    one_of,
    string,
    strings,
)
from orchestrator.policy.schemas.schema import cidr, network, port_or_name

_NAMES = ("TCP", "UDP", "ICMP", "ICMPv6", "SCTP", "UDPLite")
_WITH_PORTS = ("TCP", "UDP", "SCTP", "6", "17", "132")
_ICMP, _ICMPV6 = ("ICMP", "1"), ("ICMPv6", "58")
_NUMBER = re.compile("[0-9]{1,3}")
_RANGE = re.compile("([0-9]{1,9})(?::([0-9]{1,9}))?")
_MOST_MATCHES = 20  # methods, or paths, of one http
_LONGEST_PATH = 1024
_NETS = ("nets", "notNets")
_PORTS = ("ports", "notPorts")
_NOT_BESIDE_SERVICES = ("selector", "notSelector", "namespaceSelector", "serviceAccounts", *_NETS)


def distinct(value: Any, path: str) -> Iterator[str]:
    """A list in which no text stands twice."""
    seen = set()
    for number, item in enumerate(value):
        if isinstance(item, str):
            if item in seen:
                yield f'{path}[{number}]: "{shown(item)}" stands there twice'
            seen.add(item)


def selector(value: Any, path: str) -> Iterator[str]:
    """One that does not say `global()`."""
    yield from _readable(value, path)
    if "global(" in value:
        yield f"{path}: global() is for the namespaceSelector of a rule alone"


def _readable(value: Any, path: str) -> Iterator[str]:
    try:
        parsed(value)
    except SelectorError as error:
        yield f"{path}: is no selector: {error}"


def _of_spaces(value: Any, path: str) -> Iterator[str]:
    wrong = list(_readable(value, path))
    yield from wrong
    if not wrong and "global(" in value and parsed(value) != GLOBAL:
        yield f"{path}: global() cannot be combined with anything else"


def _whole(lowest: int, highest: int) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            yield f"{path}: must be a whole number from {lowest} to {highest}"

    return check


def _version(value: Any, path: str) -> Iterator[str]:
    if value not in (4, 6) or isinstance(value, bool):
        yield f"{path}: must be 4 or 6"


def _protocol(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        yield f"{path}: must be a protocol's name or its number"
    elif isinstance(value, int):
        yield from _whole(1, 255)(value, path)
    elif not _NUMBER.fullmatch(value) or not 1 <= int(value) <= 255:
        yield from one_of(*_NAMES)(value, path)


def _port(value: Any, path: str) -> Iterator[str]:
    """A number, a range `a:b`, or a name."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        yield f"{path}: must be a number, a range such as 8000:8090, or a name"
    elif isinstance(value, int):
        yield from port_or_name(value, path)
    elif found := _RANGE.fullmatch(value):
        first, last = int(found[1]), int(found[2] or found[1])
        for number in (first, last):
            yield from port_or_name(number, path)
        if last < first:
            yield f"{path}: the range must not end below its start"
    else:
        yield from port_or_name(value, path)


def _net(value: Any, path: str) -> Iterator[str]:
    """A network whose address has no bits beyond its mask."""
    yield from cidr(value, path)
    found = network(value)
    if found and ipaddress.ip_address(value.partition("/")[0]) != found.network_address:
        yield f"{path}: {shown(value)} has bits beyond its mask, write {found}"


def _icmp(value: Any, path: str) -> Iterator[str]:
    if "code" in value and "type" not in value:
        yield f"{path}.code: needs a type"


def _methods(value: Any, path: str) -> Iterator[str]:
    yield from distinct(value, path)
    yield from _few(value, path)


def _few(value: Any, path: str) -> Iterator[str]:
    if len(value) > _MOST_MATCHES:
        yield f"{path}: must hold at most {_MOST_MATCHES} items"


def _http_path(value: Any, path: str) -> Iterator[str]:
    given = [text for text in value.values() if text]
    if len(given) != 1:
        yield f"{path}: must hold either exact or prefix"


def _of_url(value: Any, path: str) -> Iterator[str]:
    if value and (not value.startswith("/") or any(c in value for c in "? #")):
        yield f"{path}: must begin with / and hold no ?, # or blank"
    if len(value) > _LONGEST_PATH:
        yield f"{path}: must not be longer than {_LONGEST_PATH} characters"


def _entity(value: Any, path: str) -> Iterator[str]:
    services = value.get("services")
    if not isinstance(services, dict):
        return
    if not services.get("name"):
        yield f"{path}.services.name: is required"
    beside = next((name for name in _NOT_BESIDE_SERVICES if value.get(name)), None)
    if beside:
        yield f"{path}.{beside}: may not stand together with services"


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _named(value: Mapping[str, Any], name: str) -> str:
    """A protocol as text, whether it is a name or a number; empty where none is given."""
    found = value.get(name)
    if isinstance(found, int):
        return str(found) if 0 <= found <= 255 else ""
    return found if isinstance(found, str) else ""


def _rule(side: Direction, in_space: bool, value: Any, path: str) -> Iterator[str]:
    """What the fields of a rule say of one another; `in_space` says that the policy is in a namespace."""
    if "action" not in value:
        yield f"{path}.action: is required"
    yield from _of_protocol(value, path)
    yield from _of_families(value, path)
    if value.get("http") is not None:
        if side is EGRESS:
            yield f"{path}.http: is for ingress rules alone"
        elif value.get("action") != "Allow":
            yield f"{path}.http: is for rules that allow alone"
        elif _named(value, "protocol") not in ("", "TCP", "6"):
            yield f"{path}.http: needs protocol TCP, or none"
    here, other = ("source", "destination") if side is INGRESS else ("destination", "source")
    if _part(value, other).get("services"):
        yield f"{path}.{other}.services: may stand in the {here} of {side.part} rules alone"
    services = _part(_part(value, here), "services")
    if services and not in_space and not services.get("namespace"):
        yield f"{path}.{here}.services.namespace: is required in a global policy"
    if _part(value, "destination").get("services"):
        for name in _PORTS:
            if _part(value, "destination").get(name):
                yield f"{path}.destination.{name}: may not stand together with services, whose ports count"


def _of_protocol(value: Mapping[str, Any], path: str) -> Iterator[str]:
    protocol = _named(value, "protocol")
    for end in ("source", "destination"):
        for name in _PORTS:
            if _part(value, end).get(name) and protocol not in _WITH_PORTS:
                yield f"{path}.{end}.{name}: needs protocol TCP, UDP or SCTP"
    if value.get("icmp") is not None and protocol not in (*_ICMP, *_ICMPV6):
        yield f"{path}.icmp: needs protocol ICMP or ICMPv6"


def _of_families(value: Mapping[str, Any], path: str) -> Iterator[str]:
    """One family alone, that of ipVersion where it is given."""
    wanted = value.get("ipVersion")
    for name in ("protocol", "notProtocol"):
        given = _named(value, name)
        family = 4 if given in _ICMP else 6 if given in _ICMPV6 else wanted
        if wanted is not None and wanted != family:
            yield f"{path}.ipVersion: {shown(value[name])} is of IPv{family}"
    seen: int | None = wanted if wanted in (4, 6) else None
    for end in ("source", "destination"):
        for name in _NETS:
            nets = _part(value, end).get(name)
            for number, text in enumerate(nets if isinstance(nets, list) else ()):
                found = network(text)
                seen = seen or (found.version if found else None)
                if found and found.version != seen:
                    why = "ipVersion says so" if wanted is not None else "so is another of the rule"
                    yield f"{path}.{end}.{name}[{number}]: must be of IPv{seen}: {why}"


_ICMP_FIELDS = mapping({"type": _whole(0, 254), "code": _whole(0, 255)}, _icmp)
_ENTITY = mapping(
    {
        "nets": list_of(string(_net), distinct),
        "notNets": list_of(string(_net), distinct),
        "selector": string(selector),
        "notSelector": string(selector),
        "namespaceSelector": string(_of_spaces),
        "serviceAccounts": mapping({"names": list_of(string(), distinct), "selector": string(selector)}),
        "services": mapping({"name": string(dns_name), "namespace": string(dns_name)}),
        "ports": list_of(_port),
        "notPorts": list_of(_port),
    },
    _entity,
)
_HTTP = mapping(
    {
        "methods": list_of(string(), _methods),
        "paths": list_of(mapping({"exact": string(_of_url), "prefix": string(_of_url)}, _http_path), _few),
    }
)
_FIELDS: Mapping[str, Check] = {
    "action": one_of("Allow", "Deny", "Log", "Pass"),
    "ipVersion": _version,
    "protocol": _protocol,
    "notProtocol": _protocol,
    "icmp": _ICMP_FIELDS,
    "notICMP": _ICMP_FIELDS,
    "source": _ENTITY,
    "destination": _ENTITY,
    "http": _HTTP,
    "metadata": mapping({"annotations": strings(anything)}),
}


def rules(side: Direction, in_space: bool) -> Check:
    """The rules of a direction; `in_space` says that the policy is in a namespace."""
    return list_of(once(mapping(_FIELDS, partial(_rule, side, in_space))))
