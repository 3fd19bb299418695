"""What Calico refuses in its policies, sets and tiers, projectcalico.org/v3.

Source: the CRDs with their rules, and Calico's validator. A field that none of the open versions has is refused, such as those of
Calico Enterprise.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from orchestrator.policy.files.shape import shown
from orchestrator.policy.objects.directions import EGRESS, Direction
from orchestrator.policy.schemas.calico_rule_schema import distinct, rules, selector
from orchestrator.policy.schemas.fields import (
    Check,
    anything,
    boolean,
    dns_label,
    dns_name,
    list_of,
    mapping,
    once,
    one_of,
    string,
)
from orchestrator.policy.schemas.schema import METADATA, MOST_TOLD, cidr, problems
from orchestrator.policy.schemas.tier_schema import needs

_ORDERS = {  # of the tiers that every cluster has, with what they do with what they do not decide
    "default": (1_000_000, "Deny"),
    "adminnetworkpolicy": (1000, "Pass"),
    "baselineadminnetworkpolicy": (10_000_000, "Pass"),
    "kube-admin": (1000, "Pass"),
    "kube-baseline": (10_000_000, "Pass"),
}


def calico_problems(obj: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object of projectcalico.org, as `path: why`."""
    return list(islice(_KINDS[obj["kind"]](obj, ""), MOST_TOLD))


def missing_tier(policy: Mapping[str, Any], tiers: Collection[str]) -> Iterator[str]:
    """That a policy names a tier which is neither among `tiers` nor one that every cluster has, as `path: why`."""
    spec = policy.get("spec")
    name = spec.get("tier") if isinstance(spec, dict) else None
    if isinstance(name, str) and name and name not in (*_ORDERS, *tiers):
        yield f'spec.tier: there is no tier "{shown(name)}"'


def _number(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        yield f"{path}: must be a number"


def _address(value: Any, path: str) -> Iterator[str]:
    """A network, or a single address."""
    whole = f"{value}/{128 if ':' in value else 32}"
    if "/" in value or list(cidr(whole, path)):
        yield from cidr(value, path)


def _for_hosts(value: Any, path: str) -> Iterator[str]:
    """What a policy says that acts on host endpoints alone."""
    if value.get("doNotTrack") is True and value.get("preDNAT") is True:
        yield f"{path}.preDNAT: may not stand together with doNotTrack"
    if value.get("preDNAT") is True:
        if value.get("egress"):
            yield f"{path}.egress: is not for preDNAT"
        if isinstance(value.get("types"), list) and EGRESS.value in value["types"]:
            yield f"{path}.types: Egress is not for preDNAT"
    if value.get("applyOnForward") is not True and True in (value.get("doNotTrack"), value.get("preDNAT")):
        yield f"{path}.applyOnForward: must be true with doNotTrack or preDNAT"


def _staged(others: Check, value: Any, path: str) -> Iterator[str]:
    """A deletion holds nothing but its tier."""
    if value.get("stagedAction") != "Delete":
        yield from others(value, path)
        return
    for name, given in value.items():
        if name not in ("stagedAction", "tier") and (given or name == "order"):
            yield f"{path}.{name}: a staged deletion holds nothing but its tier"


def _of_tier(value: Any, path: str) -> Iterator[str]:
    name = value["metadata"].get("name") if isinstance(value.get("metadata"), dict) else None
    spec = value.get("spec") if isinstance(value.get("spec"), dict) else {}
    yield from dns_label(name, "metadata.name") if isinstance(name, str) else ()
    if name in _ORDERS:
        order, action = _ORDERS[name]
        if spec.get("order") != order:
            yield f"spec.order: that of the tier {name} is {order}"
        if spec.get("defaultAction", "Deny") != action:
            yield f"spec.defaultAction: that of the tier {name} is {action}"


def _of_set(value: Any, path: str) -> Iterator[str]:
    labels = value["metadata"].get("labels") if isinstance(value.get("metadata"), dict) else None
    if isinstance(labels, dict) and "projectcalico.org/namespace" in labels:
        yield "metadata.labels.projectcalico.org/namespace: is Calico's own"


def _kubernetes(obj: Any, path: str) -> Iterator[str]:
    """A staged NetworkPolicy of Kubernetes is one with a stagedAction."""
    spec = obj.get("spec")
    staged = spec if isinstance(spec, dict) else {}
    action = staged.get("stagedAction")
    if action is not None:
        yield from _STAGED_ACTION(action, "spec.stagedAction")
    if action == "Delete":
        yield from _staged(anything, staged, "spec")
        return
    plain = {key: value for key, value in staged.items() if key != "stagedAction"}
    body = {key: value for key, value in obj.items() if key != "status"}
    if isinstance(spec, dict):
        body["spec"] = plain
    yield from problems({**body, "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"})


def _whole(spec: Check, rule: Check = anything, required: bool = True) -> Check:
    fields = {
        "apiVersion": string(),
        "kind": string(),
        "metadata": METADATA,
        "spec": spec,
        "status": anything,
    }

    def check(value: Any, path: str) -> Iterator[str]:
        yield from needs("metadata", *(("spec",) if required else ()))(value, path)
        yield from rule(value, path)

    return mapping(fields, check)


def _spec(in_space: bool) -> dict[str, Check]:
    """The fields of a policy's spec."""
    found: dict[str, Check] = {
        "tier": string(dns_name),
        "order": _number,
        "selector": string(selector),
        "serviceAccountSelector": string(selector),
        "types": list_of(one_of(*Direction), distinct),
        "performanceHints": list_of(one_of("AssumeNeededOnEveryNode"), distinct),
        **{side.part: rules(side, in_space) for side in Direction},
    }
    hosts = dict.fromkeys(("doNotTrack", "preDNAT", "applyOnForward"), boolean)
    return found if in_space else {**found, "namespaceSelector": string(selector), **hosts}


_STAGED_ACTION = string(one_of("Set", "Delete", "Learn", "Ignore"))
_STAGED = {"stagedAction": _STAGED_ACTION}
_NETS = mapping({"nets": list_of(string(_address), distinct)})
_TIER = mapping({"order": _number, "defaultAction": one_of("Deny", "Pass")})
_KINDS: Mapping[str, Check] = {
    "NetworkPolicy": _whole(once(mapping(_spec(in_space=True)))),
    "GlobalNetworkPolicy": _whole(once(mapping(_spec(in_space=False), _for_hosts))),
    "StagedNetworkPolicy": _whole(mapping({**_spec(in_space=True), **_STAGED}, partial(_staged, anything))),
    "StagedGlobalNetworkPolicy": _whole(
        mapping({**_spec(in_space=False), **_STAGED}, partial(_staged, _for_hosts))
    ),
    "StagedKubernetesNetworkPolicy": _kubernetes,
    "Tier": _whole(_TIER, _of_tier, required=False),
    "NetworkSet": _whole(_NETS, _of_set, required=False),
    "GlobalNetworkSet": _whole(_NETS, _of_set, required=False),
}
