"""What the API server makes of a NetworkPolicy: its defaults, and what it would refuse."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from orchestrator.policy.files.shape import shown
from orchestrator.policy.objects import networks
from orchestrator.policy.objects.cloning import clone
from orchestrator.policy.objects.directions import Direction, directions
from orchestrator.policy.schemas.fields import (
    DNS_LABEL,
    Check,
    anything,
    dns_label,
    dns_name,
    label_key,
    label_value,
    list_of,
    mapping,
    once,
    one_of,
    string,
    strings,
)

MOST_TOLD = 50
_NO_VALUES = ("Exists", "DoesNotExist")
_CIDR = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")  # ipaddress also takes bare addresses and netmasks


def with_defaults(obj: dict[str, Any]) -> dict[str, Any]:
    """A copy with policyTypes and protocols filled in as the API server does; null counts as absent."""
    found = clone(obj)
    spec = _without_null(found.get("spec") or {})
    found["spec"] = spec
    if not spec.get("policyTypes"):
        spec["policyTypes"] = [side.value for side in directions(found)]
    for side in Direction:
        for rule in side.rules(found):
            for port in rule.get("ports") or []:
                port.setdefault("protocol", "TCP")
    return found


def problems(obj: Mapping[str, Any]) -> list[str]:
    """What the API server would refuse in a NetworkPolicy, as `path: why`, the first MOST_TOLD; [] for other kinds."""
    if (obj.get("apiVersion"), obj.get("kind")) != ("networking.k8s.io/v1", "NetworkPolicy"):
        return []
    return list(islice(_POLICY(obj, ""), MOST_TOLD))


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_null(v) for k, v in value.items() if v is not None}
    return [_without_null(v) for v in value] if isinstance(value, list) else value


def _metadata(value: Any, path: str) -> Iterator[str]:
    if "name" not in value:
        yield f"{path}.name: is required"


def _requirement(value: Any, path: str) -> Iterator[str]:
    operator, values = value.get("operator"), value.get("values")
    if "key" not in value:
        yield f"{path}.key: is required"
    if operator is None:
        yield f"{path}.operator: is required"
    elif operator in ("In", "NotIn") and not values:
        yield f"{path}.values: must be given with the operator {operator}"
    elif operator in _NO_VALUES and values:
        yield f"{path}.values: may not be given with the operator {operator}"


def port_number(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"{path}: must be a whole number"
    elif not 1 <= value <= 65535:
        yield f"{path}: must be between 1 and 65535, not {shown(value)}"


def port_or_name(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield from port_number(value, path)
    elif value.isdecimal():
        yield f'{path}: "{shown(value)}" would be a port\'s name: write the number without quotes'
    elif len(value) > 15 or not re.search("[a-z]", value) or not DNS_LABEL.fullmatch(value):
        yield f'{path}: "{shown(value)}" is no port name: up to 15 lower-case letters, digits and -, with a letter'
    elif "--" in value:
        yield f'{path}: "{shown(value)}" is no port name: it may not hold --'


def _range(value: Any, path: str) -> Iterator[str]:
    port, end = value.get("port"), value.get("endPort")
    if end is None:
        return
    if port is None or isinstance(port, str):
        yield f"{path}.endPort: needs a port that is a number"
    elif isinstance(port, int) and isinstance(end, int) and end < port:
        yield f"{path}.endPort: must not be smaller than port ({shown(end)} < {shown(port)})"


def network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The block of addresses that a text is; None for any other text."""
    try:
        return networks.network(value) if _CIDR.fullmatch(value) else None
    except (ValueError, TypeError):
        return None


def cidr(value: Any, path: str) -> Iterator[str]:
    if network(value) is None:
        whole = network(f"{value}/32" if "." in value else f"{value}/128")
        fix = f", write {whole}" if whole else ""
        yield f'{path}: "{shown(value)}" is no CIDR block, such as 10.9.8.0/24 or 2001:db8::/64{fix}'


def _block(value: Any, path: str) -> Iterator[str]:
    if "cidr" not in value:
        yield f"{path}.cidr: is required"
    outer, exceptions = network(value.get("cidr")), value.get("except")
    for number, text in enumerate(exceptions if isinstance(exceptions, list) else []):
        inner = network(text)
        if outer and inner and not _strictly_within(inner, outer):
            yield f"{path}.except[{number}]: {shown(text)} must lie within {shown(value['cidr'])} and be smaller"


def _strictly_within(inner: Any, outer: Any) -> bool:
    return bool(inner.version == outer.version and inner != outer and inner.subnet_of(outer))


def _peer(value: Any, path: str) -> Iterator[str]:
    if not value:
        yield f"{path}: must hold a podSelector, a namespaceSelector or an ipBlock"
    elif "ipBlock" in value and len(value) > 1:
        yield f"{path}: an ipBlock may not stand together with a selector"


def _types(value: Any, path: str) -> Iterator[str]:
    if len(value) > 2:
        yield f"{path}: may not hold more than two"


def _parts(value: Any, path: str) -> Iterator[str]:
    for name in ("metadata", "spec"):
        # The server takes a missing spec, and denies every pod its ingress: never by accident.
        if name not in value:
            yield f"{name}: is required"


def selector(key: Check = label_key) -> Check:
    """A label selector, whose keys have a form."""
    requirement = {
        "key": string(key),
        "operator": one_of("In", "NotIn", *_NO_VALUES),
        "values": list_of(string(label_value)),
    }
    return mapping(
        {
            "matchLabels": strings(label_value, key),
            "matchExpressions": list_of(mapping(requirement, _requirement)),
        }
    )


SELECTOR = selector()
_PEERS = list_of(
    mapping(
        {
            "podSelector": SELECTOR,
            "namespaceSelector": SELECTOR,
            "ipBlock": mapping({"cidr": string(cidr), "except": list_of(string(cidr))}, _block),
        },
        _peer,
    )
)
_PORTS = list_of(
    mapping(
        {"protocol": one_of("TCP", "UDP", "SCTP"), "port": port_or_name, "endPort": port_number},
        _range,
    )
)
_PEER_FIELDS = ("podSelector", "namespaceSelector", "ipBlock")
_RULES = {
    side.part: list_of(
        once(
            mapping(
                {side.peers: _PEERS, "ports": _PORTS},
                elsewhere=dict.fromkeys(_PEER_FIELDS, f"an item of {side.peers}"),
            )
        )
    )
    for side in Direction
}
_OF_RULES = {
    **{side.peers: f"an item of {side.part}" for side in Direction},
    "ports": "an item of ingress or egress",
    **dict.fromkeys(("matchLabels", "matchExpressions"), "podSelector"),
}
_SET_BY_SERVER = [
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
    "finalizers",
    "managedFields",
]
METADATA = mapping(
    {
        **dict.fromkeys(_SET_BY_SERVER, anything),
        "name": string(dns_name),
        "namespace": string(dns_label),
        "labels": strings(label_value),
        "annotations": strings(anything),
    },
    _metadata,
)
_SPEC = once(
    mapping(
        {
            "podSelector": SELECTOR,
            "policyTypes": list_of(one_of(*Direction), _types),
            **_RULES,
        },
        elsewhere=_OF_RULES,
    )
)
_POLICY = mapping({"apiVersion": string(), "kind": string(), "metadata": METADATA, "spec": _SPEC}, _parts)
