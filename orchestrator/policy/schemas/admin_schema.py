"""What the API server would refuse in an AdminNetworkPolicy or a BaselineAdminNetworkPolicy of policy.networking.k8s.io/v1alpha1.

Source: the CRDs and their rules, and the API's own text where that says more: the order of a range's ends, domain names in
Allow rules alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.schemas.fields import Check, anything, list_of, mapping, one_of, string
from orchestrator.policy.schemas.schema import METADATA, SELECTOR, cidr, port_number
from orchestrator.policy.schemas.tier_schema import just_one, needs, priority

_ONLY_NAME = "default"
_LONGEST_NAME = 100
_MOST = 100  # rules of a direction, peers and ports of a rule
_MOST_NETWORKS = 25  # and domain names
_BY_ADDRESS = ("networks", "nodes", "domainNames")


def admin_problems(obj: Mapping[str, Any]) -> list[str]:
    """Of an AdminNetworkPolicy, as `path: why`."""
    return list(_ADMIN(obj, ""))


def baseline_problems(obj: Mapping[str, Any]) -> list[str]:
    """Of a BaselineAdminNetworkPolicy, as `path: why`."""
    return list(_BASELINE(obj, ""))


def _named(value: Any, path: str) -> Iterator[str]:
    if len(value) > _LONGEST_NAME:
        yield f"{path}: must not be longer than {_LONGEST_NAME} characters"


def _up_to(most: int) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not 1 <= len(value) <= most:
            yield f"{path}: must hold 1 to {most} items"

    return check


def _rules(value: Any, path: str) -> Iterator[str]:
    if len(value) > _MOST:
        yield f"{path}: must hold at most {_MOST} rules"


def _ends(value: Any, path: str) -> Iterator[str]:
    first, last = value.get("start"), value.get("end")
    yield from needs("start", "end")(value, path)
    if isinstance(first, int) and isinstance(last, int) and last <= first:
        yield f"{path}: start must be less than end"


def _port_of_address(value: Any, path: str) -> Iterator[str]:
    """A name is looked up on a pod: it cannot stand beside peers that are addresses."""
    peers, ports = value.get("to"), value.get("ports")
    if not isinstance(peers, list) or not isinstance(ports, list):
        return
    named = any(isinstance(p, dict) and "namedPort" in p for p in ports)
    if named and any(isinstance(p, dict) and p.keys() & {*_BY_ADDRESS} for p in peers):
        yield f"{path}: namedPort may not stand together with networks, nodes or domainNames"


def _domains_of_allow(value: Any, path: str) -> Iterator[str]:
    if value.get("action") == "Allow" or not isinstance(value.get("to"), list):
        return
    for number, peer in enumerate(value["to"]):
        if isinstance(peer, dict) and "domainNames" in peer:
            yield f"{path}.to[{number}].domainNames: is for rules that allow alone"


def _all_of(*checks: Check) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        for one in checks:
            yield from one(value, path)

    return check


def _default(value: Any, path: str) -> Iterator[str]:
    name = value["metadata"].get("name") if isinstance(value.get("metadata"), dict) else None
    if name != _ONLY_NAME:
        yield f"metadata.name: there is one baseline alone: write {_ONLY_NAME}"


_PODS = mapping(
    {"namespaceSelector": SELECTOR, "podSelector": SELECTOR}, needs("namespaceSelector", "podSelector")
)
_SUBJECT = {"namespaces": SELECTOR, "pods": _PODS}
_PROTOCOL = one_of("TCP", "UDP", "SCTP")
_PORTS = list_of(
    mapping(
        {
            "portNumber": mapping({"protocol": _PROTOCOL, "port": port_number}, needs("port")),
            "namedPort": string(),
            "portRange": mapping({"protocol": _PROTOCOL, "start": port_number, "end": port_number}, _ends),
        },
        just_one,
    ),
    _up_to(_MOST),
)


def _policy(
    actions: tuple[str, ...], tos: Mapping[str, Check], head: Mapping[str, Check], rules: Check
) -> Check:
    rule = {"name": string(_named), "action": one_of(*actions), "ports": _PORTS}
    peers = {
        side: list_of(mapping(given, just_one), _up_to(_MOST))
        for side, given in (("from", _SUBJECT), ("to", tos))
    }
    spec = {
        **head,
        "subject": mapping(_SUBJECT, just_one),
        "ingress": list_of(mapping({**rule, "from": peers["from"]}, needs("action", "from")), _rules),
        "egress": list_of(
            mapping(
                {**rule, "to": peers["to"]},
                _all_of(needs("action", "to"), _port_of_address, _domains_of_allow),
            ),
            _rules,
        ),
    }
    whole = {
        "apiVersion": string(),
        "kind": string(),
        "metadata": METADATA,
        "spec": mapping(spec, needs(*head, "subject")),
        "status": anything,
    }
    return mapping(whole, rules)


_TO = {**_SUBJECT, "networks": list_of(string(cidr), _up_to(_MOST_NETWORKS)), "nodes": SELECTOR}
_NAMES = {"domainNames": list_of(string(), _up_to(_MOST_NETWORKS))}
_ADMIN = _policy(("Allow", "Deny", "Pass"), {**_TO, **_NAMES}, {"priority": priority}, needs("spec"))
_BASELINE = _policy(("Allow", "Deny"), _TO, {}, _all_of(_default, needs("spec")))
