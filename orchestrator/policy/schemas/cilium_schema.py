"""What the API server, or Cilium's agent, refuses in CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and CiliumCIDRGroup.

What the agent refuses has no effect at all, all of its specs alike. Source: Cilium 1.20, its CRDs and pkg/policy/api/rule_validation.go.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from orchestrator.policy.files.shape import shown
from orchestrator.policy.objects.cilium_words import CIDR_GROUP, CLUSTERWIDE, ENTITIES, NAMESPACED
from orchestrator.policy.objects.directions import INGRESS, Direction
from orchestrator.policy.schemas.cilium_port_schema import MESSAGES, NAMES, is_deep, ports
from orchestrator.policy.schemas.fields import (
    Check,
    anything,
    boolean,
    dns_name,
    label_key,
    list_of,
    mapping,
    once,
    one_of,
    string,
)
from orchestrator.policy.schemas.schema import METADATA, MOST_TOLD, cidr, network, selector
from orchestrator.policy.schemas.tier_schema import needs

LISTS = ("ingress", "ingressDeny", "egress", "egressDeny")


def cilium_problems(obj: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object of cilium.io, as `path: why`."""
    return list(islice(_KINDS[obj["kind"]](obj, ""), MOST_TOLD))


def _key(value: Any, path: str) -> Iterator[str]:
    """A label's key, after its source and a colon where it has one."""
    source, colon, rest = value.partition(":")
    yield from label_key(rest if colon and source.isalnum() else value, path)


def _none(value: Any, path: str) -> Iterator[str]:
    if value:
        yield f"{path}: Cilium has no such condition any more"


def _set(value: Any, path: str) -> Iterator[str]:
    """One item of a CIDRSet."""
    if len(value.keys() & {"cidr", "cidrGroupRef", "cidrGroupSelector"}) != 1:
        yield f"{path}: must hold exactly one of cidr, cidrGroupRef and cidrGroupSelector"
    outer, exceptions = network(value.get("cidr")), value.get("except")
    for number, text in enumerate(exceptions if outer and isinstance(exceptions, list) else []):
        if network(text) and not _starts_in(text, outer):
            yield f"{path}.except[{number}]: {shown(text)} must lie within {shown(value['cidr'])}"


def _starts_in(text: str, outer: Any) -> bool:
    return ipaddress.ip_address(text.partition("/")[0]) in outer


def _one_service(value: Any, path: str) -> Iterator[str]:
    if not value.keys() & {"k8sService", "k8sServiceSelector"}:
        yield f"{path}: must hold a k8sService or a k8sServiceSelector"


def _rule(side: Direction, value: Any, path: str) -> Iterator[str]:
    """Of a rule of a direction: the peers of one field, and ports or messages."""
    word = "from" if side is INGRESS else "to"
    none = ("toPorts", f"{word}Requires")
    peers = [name for name, given in value.items() if given and name.startswith(word) and name not in none]
    if len(peers) > 1:
        yield f"{path}.{peers[1]}: may not stand together with {peers[0]}: put it into a rule of its own"
    if value.get("icmps") and value.get("toPorts"):
        yield f"{path}.icmps: may not stand together with toPorts: put it into a rule of its own"


def _deep(rule: Any) -> bool:
    entries = rule.get("toPorts") if isinstance(rule, dict) else None
    return isinstance(entries, list) and any(isinstance(e, dict) and is_deep(e.get("rules")) for e in entries)


def _spec(namespaced: bool, value: Any, path: str) -> Iterator[str]:
    chosen = value.keys() & {"endpointSelector", "nodeSelector"}
    if namespaced and "nodeSelector" in chosen:
        yield f"{path}.nodeSelector: is for CiliumClusterwideNetworkPolicy alone"
    elif not chosen:
        yield f"{path}.endpointSelector: is required"
    elif len(chosen) > 1:
        yield f"{path}: must hold either an endpointSelector or a nodeSelector"
    if not any(value.get(name) for name in LISTS):
        yield f"{path}: must hold a rule in one of {', '.join(LISTS)}: Cilium refuses a policy without any"
    if "nodeSelector" in chosen and not namespaced:
        for name in ("ingress", "egress"):
            rules = value.get(name)
            for number, rule in enumerate(rules if isinstance(rules, list) else []):
                if _deep(rule):
                    yield f"{path}.{name}[{number}].toPorts: no proxy decides for nodes"


def _some_spec(value: Any, path: str) -> Iterator[str]:
    if "metadata" not in value:
        yield "metadata: is required"
    if not value.keys() & {"spec", "specs"}:
        yield "spec: is required"


_SELECTOR = selector(_key)
_SETS = list_of(
    mapping(
        {
            "cidr": string(cidr),
            "cidrGroupRef": string(dns_name),
            "cidrGroupSelector": _SELECTOR,
            "except": list_of(string(cidr)),
        },
        _set,
    )
)
_SERVICES = list_of(
    mapping(
        {
            "k8sService": mapping({"serviceName": string(), "namespace": string()}),
            "k8sServiceSelector": mapping({"selector": _SELECTOR, "namespace": string()}, needs("selector")),
        },
        _one_service,
    )
)
_GROUPS = list_of(
    mapping(
        {
            "aws": mapping(
                {
                    "labels": anything,
                    "region": string(),
                    "securityGroupsIds": list_of(string()),
                    "securityGroupsNames": list_of(string()),
                }
            )
        }
    )
)
_PEERS: Mapping[str, Check] = {
    "Endpoints": list_of(_SELECTOR),
    "Requires": _none,
    "CIDR": list_of(string(cidr)),
    "CIDRSet": _SETS,
    "Entities": list_of(one_of(*ENTITIES)),
    "Groups": _GROUPS,
    "Nodes": list_of(_SELECTOR),
}
_AUTHENTICATION = mapping({"mode": one_of("disabled", "required", "test-always-fail")}, needs("mode"))


def _rules(side: Direction, deny: bool) -> Check:
    word = "from" if side is INGRESS else "to"
    fields = {
        **{f"{word}{name}": check for name, check in _PEERS.items()},
        "toPorts": ports(side is INGRESS, deny),
        "icmps": MESSAGES,
    }
    if side is not INGRESS:
        fields["toServices"] = _SERVICES
    if not deny:
        fields["authentication"] = _AUTHENTICATION
        fields |= {} if side is INGRESS else {"toFQDNs": NAMES}
    return list_of(once(mapping(fields, partial(_rule, side))))


def _policy(namespaced: bool) -> Check:
    spec = mapping(
        {
            "endpointSelector": _SELECTOR,
            "nodeSelector": _SELECTOR,
            **{f"{s.part}{end}": _rules(s, bool(end)) for s in Direction for end in ("", "Deny")},
            "enableDefaultDeny": mapping({"ingress": boolean, "egress": boolean}),
            "labels": list_of(mapping(dict.fromkeys(("key", "value", "source"), string()), needs("key"))),
            "description": string(),
            "log": mapping({"value": string()}),
        },
        partial(_spec, namespaced),
    )
    return _whole({"spec": once(spec), "specs": list_of(once(spec))}, _some_spec)


def _whole(fields: Mapping[str, Check], rules: Check) -> Check:
    about = {"apiVersion": string(), "kind": string(), "metadata": METADATA, "status": anything}
    return mapping({**about, **fields}, rules)


_KINDS: Mapping[str, Check] = {
    NAMESPACED: _policy(namespaced=True),
    CLUSTERWIDE: _policy(namespaced=False),
    CIDR_GROUP: _whole(
        {"spec": mapping({"externalCIDRs": list_of(string(cidr))}, needs("externalCIDRs"))},
        needs("metadata", "spec"),
    ),
}
