"""Selectors on labels of pods that Cilium leaves out of their identities: to it no pod has them."""

from collections.abc import Iterator

from orchestrator.policy.evaluate.cilium.cilium_agent import CONFIG_MAP
from orchestrator.policy.evaluate.cilium.cilium_identities import (
    ACCOUNT,
    CLUSTER,
    NAMESPACE,
    OF_NAMESPACE,
    PODS,
    kept,
)
from orchestrator.policy.evaluate.cilium.cilium_selectors import ANY_SOURCE
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.of_api import Part, of_cilium, specs
from orchestrator.policy.objects.directions import Direction, rules
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.workloads.fleet import Fleet

_CILIUMS_OWN = (NAMESPACE, CLUSTER, ACCOUNT)  # it adds them to what pods have


def unseen(fleet: Fleet) -> Iterator[Finding]:
    """Each such selector, in policies of Cilium and in NetworkPolicies beside them."""
    policies = of_cilium(fleet)
    if not policies or _labels_chosen(fleet):
        return
    for policy in policies:
        for place, selector in _of_pods(policy):
            yield from _found(fleet, policy, place, selector, sourced=True)
    for policy in fleet.policies:
        selectors = [("podSelector", policy["spec"].get("podSelector") or {})]
        for rule in rules(policy):
            selectors += [(f"{at}.podSelector", p.get("podSelector") or {}) for at, p in rule.peer_places()]
        for place, selector in selectors:
            yield from _found(fleet, policy, place, selector, sourced=False)


def _labels_chosen(fleet: Fleet) -> bool:
    """Whether the agent is told which labels count."""
    maps = (d.obj for d in fleet.beside if d.obj["kind"] == "ConfigMap")
    return any(o["metadata"]["name"] == CONFIG_MAP and (o.get("data") or {}).get("labels") for o in maps)


def _of_pods(policy: Part) -> Iterator[tuple[str, Part]]:
    """The selectors of endpoints, each with its path."""
    for path, spec in specs(policy):
        if spec.get("endpointSelector"):
            yield f"{path}.endpointSelector", spec["endpointSelector"]
        for side in Direction:
            field = f"{side.peers}Endpoints"
            for name in (side.part, f"{side.part}Deny"):
                for number, rule in enumerate(spec.get(name) or ()):
                    for at, selector in enumerate(rule.get(field) or ()):
                        yield f"{path}.{name}[{number}].{field}[{at}]", selector


def _found(fleet: Fleet, policy: Part, place: str, selector: Part, sourced: bool) -> Iterator[Finding]:
    """`sourced`: its keys may begin with where the label is from."""
    for key, operator, _ in requirements(selector):
        source, colon, rest = key.partition(":")
        name = rest if sourced and colon else key
        if sourced and colon and source not in (ANY_SOURCE, PODS):
            continue
        if kept(name) or (sourced and (name in _CILIUMS_OWN or name.startswith(OF_NAMESPACE))):
            continue
        does = "matches no pod" if operator in ("In", "Exists") else "excludes no pod"
        text = f"{place} asks for {name}, which Cilium leaves out of what it knows pods by: it {does}"
        yield of_policy(fleet, "NPC037", policy, text)
