"""What a NetworkPolicy says, rule by rule, in words: which pods, with whom, on which ports.

Source: NetworkPolicy API, spec.podSelector, spec.ingress, spec.egress.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import NAME_LABEL, requirements
from orchestrator.wording import first

NOBODY, ANYBODY, EVERY_PORT = "nobody", "anybody", "every port"
MOST_PEERS = 20


@dataclass(frozen=True)
class RuleWords:
    """One rule. `peers` are the other ends: `nobody` where the policy lets none of them."""

    direction: Direction
    pods: str
    peers: tuple[str, ...]
    ports: str


def rule_words(policy: Mapping[str, Any]) -> tuple[RuleWords, ...]:
    """Each rule of each direction that the policy isolates for."""
    spec = policy["spec"]
    pods = _pods(spec.get("podSelector") or {})
    return tuple(words for side in Direction if side.in_force(policy) for words in _side(policy, side, pods))


def _side(policy: Mapping[str, Any], side: Direction, pods: str) -> Iterator[RuleWords]:
    rules = side.rules(policy)
    if not rules:
        yield RuleWords(side, pods, (NOBODY,), "")
    for rule in rules:
        peers = first([_peer(peer) for peer in rule.get(side.peers) or []], MOST_PEERS)
        yield RuleWords(side, pods, tuple(peers) or (ANYBODY,), _ports(rule))


def _ports(rule: Mapping[str, Any]) -> str:
    return ", ".join(_port(entry) for entry in rule.get("ports") or []) or EVERY_PORT


def _port(entry: Mapping[str, Any]) -> str:
    protocol = str(entry.get("protocol") or "TCP")
    if entry.get("port") is None:
        return f"every {protocol} port"
    last = f"-{entry['endPort']}" if entry.get("endPort") else ""
    return f"{entry['port']}{last}/{protocol}"


def _peer(peer: Mapping[str, Any]) -> str:
    if peer.get("ipBlock"):
        return block_words(peer["ipBlock"])
    pods = _pods(peer.get("podSelector") or {})
    spaces = peer.get("namespaceSelector")
    return f"{pods} of this namespace" if spaces is None else f"{pods} of {_spaces(spaces)}"


def block_words(block: Mapping[str, Any]) -> str:
    """The addresses of an ipBlock."""
    without = ", ".join(map(str, block.get("except") or []))
    return f"{block['cidr']} without {without}" if without else str(block["cidr"])


def _pods(selector: Mapping[str, Any]) -> str:
    wanted = _labels(selector)
    return f"pods with {wanted}" if wanted else "every pod"


def _spaces(selector: Mapping[str, Any]) -> str:
    labels = selector.get("matchLabels") or {}
    if set(labels) == {NAME_LABEL} and not selector.get("matchExpressions"):
        return f"the namespace {labels[NAME_LABEL]}"
    wanted = _labels(selector)
    return f"namespaces with {wanted}" if wanted else "every namespace"


def _labels(selector: Mapping[str, Any]) -> str:
    return ", ".join(_requirement(*wanted) for wanted in requirements(selector))


def _requirement(key: str, operator: str, values: frozenset[str]) -> str:
    listed = " or ".join(sorted(values))
    if operator == "In":
        return f"{key}={listed}"
    return {"NotIn": f"{key} not {listed}", "Exists": key, "DoesNotExist": f"no {key}"}[operator]
