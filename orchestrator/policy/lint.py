"""What is probably wrong with a set of policies: each finding with an id, a severity, a file and a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.policy.dns import names_resolver, resolves
from orchestrator.policy.fleet import Fleet
from orchestrator.policy.order import directions
from orchestrator.policy.peers import meant, rules, selected
from orchestrator.policy.selector import matches

Severity = Literal["error", "warning", "info"]
IGNORE = "netpol-canary.dev/lint-ignore"
EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class Rule:
    """What a rule looks for; `text` is for people who see it the first time."""

    id: str
    severity: Severity
    title: str
    text: str


@dataclass(frozen=True)
class Finding:
    """One place that a rule found; `ignored` is the reason that the object's annotation gives."""

    rule: Rule
    subject: str
    message: str
    where: str = ""
    ignored: str = ""


RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "NPC001",
            "warning",
            "the policy selects no workload",
            "Its podSelector matches no workload of its namespace, so that it does nothing: often a misspelt label.",
        ),
        Rule(
            "NPC002",
            "warning",
            "a peer matches no workload",
            "A peer of a rule matches nothing among the workloads and namespaces that are known here: a misspelt "
            "label or namespace opens nothing, and its client is cut off.",
        ),
        Rule(
            "NPC003",
            "warning",
            "the policy lets the whole internet in",
            "An ingress rule has no `from`, or a block of all addresses: everybody may connect on its ports.",
        ),
        Rule(
            "NPC004",
            "info",
            "a workload has no ingress policy",
            "No policy isolates the workload for ingress: whoever reaches its address may connect. A default-deny "
            "policy (podSelector: {}, policyTypes: [Ingress]) in the namespace changes that.",
        ),
        Rule(
            "NPC005",
            "error",
            "egress is denied without DNS",
            "The workload is isolated for egress, and no rule lets it reach port 53 over UDP: names do not resolve, "
            "and nothing that it calls by name works.",
        ),
        Rule(
            "NPC006",
            "error",
            "a named port exists nowhere",
            "No workload that the rule can mean declares a container port of this name and protocol, so that the "
            "rule opens nothing.",
        ),
    )
}


def lint(fleet: Fleet) -> list[Finding]:
    """Every finding, those that an annotation ignores included, by file and line."""
    found = [f for check in CHECKS for f in check(fleet)]
    return sorted(found, key=lambda f: (f.where, f.rule.id, f.subject, f.message))


def _finding(fleet: Fleet, rule: str, policy: Mapping[str, Any], message: str) -> Finding:
    meta = policy["metadata"]
    name = f"NetworkPolicy {meta['namespace']}/{meta['name']}"
    reasons = dict(
        part.split(":", 1)
        for part in str((meta.get("annotations") or {}).get(IGNORE, "")).split(";")
        if ":" in part
    )
    ignored = {key.strip(): reason.strip() for key, reason in reasons.items()}
    return Finding(RULES[rule], name, message, fleet.lines.get(name, ""), ignored.get(rule, ""))


def _selects_nothing(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        if policy["spec"].get("podSelector") and not selected(fleet, policy):
            yield _finding(fleet, "NPC001", policy, "its podSelector matches no workload")


def _matches_nothing(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for side, peers, number, rule in rules(policy):
            for at, peer in enumerate(rule.get(peers) or []):
                if "ipBlock" in peer or not any(peer.values()) or names_resolver(fleet, peer):
                    continue
                if not meant(fleet, policy, peer):
                    place = f"{side.lower()}[{number}].{peers}[{at}]"
                    yield _finding(fleet, "NPC002", policy, f"{place} matches no workload")


def _open(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for side, peers, number, rule in rules(policy):
            blocks = [p["ipBlock"]["cidr"] for p in rule.get(peers) or [] if "ipBlock" in p]
            if side == "Ingress" and (not rule.get(peers) or any(b in EVERYWHERE for b in blocks)):
                yield _finding(fleet, "NPC003", policy, f"ingress[{number}] lets every address in")


def _unguarded(fleet: Fleet) -> Iterator[Finding]:
    net = fleet.network()
    for workload in fleet.workloads:
        if not net.isolated(workload.pod, "Ingress") and not fleet.cluster:
            yield Finding(RULES["NPC004"], workload.name, "no policy isolates it for ingress")


def _without_dns(fleet: Fleet) -> Iterator[Finding]:
    net = fleet.network()
    for workload in fleet.workloads:
        if not net.isolated(workload.pod, "Egress") or resolves(fleet, net, workload.pod):
            continue
        mine = next(
            p
            for p in fleet.policies
            if p["metadata"]["namespace"] == workload.pod.namespace
            and "Egress" in directions(p)
            and matches(p["spec"].get("podSelector") or {}, workload.pod.labels)
        )
        yield _finding(fleet, "NPC005", mine, f"{workload.name} cannot reach any DNS server")


def _unknown_ports(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for side, peers, number, rule in rules(policy):
            named = [
                (p["port"], p.get("protocol", "TCP"))
                for p in rule.get("ports") or []
                if isinstance(p.get("port"), str)
            ]
            if not named:
                continue
            given = rule.get(peers) or []
            everyone = [w.pod for w in fleet.workloads]
            out = [pod for peer in given if "ipBlock" not in peer for pod in meant(fleet, policy, peer)]
            targets = selected(fleet, policy) if side == "Ingress" else out if given else everyone
            known = {(port.name, port.protocol) for pod in targets for port in pod.ports}
            for name, protocol in named:
                if (name, protocol) not in known:
                    text = f"{side.lower()}[{number}] names the port {name}/{protocol}, which no destination declares"
                    yield _finding(fleet, "NPC006", policy, text)


CHECKS: tuple[Callable[[Fleet], Iterator[Finding]], ...] = (
    _selects_nothing,
    _matches_nothing,
    _open,
    _unguarded,
    _without_dns,
    _unknown_ports,
)
