"""What the API server would refuse in a ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.schemas.fields import anything, list_of, mapping, one_of, string
from orchestrator.policy.schemas.schema import METADATA, SELECTOR, cidr, port_number

HIGHEST = 1000


def tier_problems(obj: Mapping[str, Any]) -> list[str]:
    """As `path: why`; a field that the API marks as experimental is taken, and matches nothing here."""
    return list(_POLICY(obj, ""))


def priority(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= HIGHEST:
        yield f"{path}: must be a whole number from 0 to {HIGHEST}"


def needs(*names: str) -> Any:
    def check(value: Any, path: str) -> Iterator[str]:
        for name in names:
            if name not in value:
                yield f"{f'{path}.' if path else ''}{name}: is required"

    return check


def just_one(value: Any, path: str) -> Iterator[str]:
    if len(value) != 1:
        yield f"{path}: must hold exactly one of its fields"


def _port(value: Any, path: str) -> Iterator[str]:
    yield from just_one(value, path)
    span = value.get("range") or {}
    first, last = (span.get(k) for k in ("start", "end")) if isinstance(span, dict) else (None, None)
    if isinstance(first, int) and isinstance(last, int) and last < first:
        yield f"{path}.range.end: must not be smaller than start"


_PODS = mapping({"namespaceSelector": SELECTOR, "podSelector": SELECTOR})
_SUBJECT = {"namespaces": SELECTOR, "pods": _PODS}
_BODY = mapping(
    {
        "destinationPort": mapping(
            {
                "number": port_number,
                "range": mapping({"start": port_number, "end": port_number}, needs("start", "end")),
            },
            _port,
        )
    }
)
_PROTOCOLS = list_of(
    mapping({"tcp": _BODY, "udp": _BODY, "sctp": _BODY, "destinationNamedPort": string()}, just_one)
)
_ACTION = one_of("Accept", "Deny", "Pass")
_IN = mapping(
    {
        "name": string(),
        "action": _ACTION,
        "from": list_of(mapping(_SUBJECT, just_one)),
        "protocols": _PROTOCOLS,
    },
    needs("action", "from"),
)
_PEER = {**_SUBJECT, "networks": list_of(string(cidr)), "nodes": anything, "domainNames": anything}
_OUT = mapping(
    {"name": string(), "action": _ACTION, "to": list_of(mapping(_PEER, just_one)), "protocols": _PROTOCOLS},
    needs("action", "to"),
)
_SPEC = mapping(
    {
        "tier": one_of("Admin", "Baseline"),
        "priority": priority,
        "subject": mapping(_SUBJECT, just_one),
        "ingress": list_of(_IN),
        "egress": list_of(_OUT),
    },
    needs("tier", "priority", "subject"),
)
_POLICY = mapping(
    {"apiVersion": string(), "kind": string(), "metadata": METADATA, "spec": _SPEC, "status": anything},
    needs("spec"),
)
