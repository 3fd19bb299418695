"""Workloads and namespaces that no policy closes, and rules that open them to every address."""

from collections.abc import Iterator

from orchestrator.policy.files.doubles import title
from orchestrator.policy.lint.findings import RULES, Finding, of_policy, reasons
from orchestrator.policy.objects.directions import EGRESS, INGRESS, rules
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.workloads.fleet import Fleet

EVERYWHERE = ("0.0.0.0/0", "::/0")


def unguarded(fleet: Fleet) -> Iterator[Finding]:
    """Workloads that no policy isolates for ingress."""
    net = fleet.network()
    for workload in fleet.workloads:
        if not net.isolated(workload.pod, INGRESS) and not fleet.further:
            where = fleet.lines.get(workload.name, "")
            yield Finding(RULES["NPC004"], workload.name, "no policy isolates it for ingress", where)


def no_default_deny(fleet: Fleet) -> Iterator[Finding]:
    """Namespaces without a policy for all of their pods."""
    if fleet.further:
        return
    for space, policies in sorted(fleet.ruled.items()):
        everyone = [p for p in policies if requirements(p["spec"].get("podSelector") or {}) == []]
        if not any(INGRESS.in_force(p) for p in everyone):
            text = "no policy selects all pods of the namespace for ingress"
            ignored = reasons(policies[0]["metadata"]).get("NPC008", "")
            yield Finding(
                RULES["NPC008"], f"Namespace {space}", text, fleet.lines.get(title(policies[0]), ""), ignored
            )


def open_to_all(fleet: Fleet) -> Iterator[Finding]:
    """Rules that let every address in."""
    for policy in fleet.policies:
        for rule in rules(policy):
            blocks = [p["ipBlock"]["cidr"] for p in rule.peers if "ipBlock" in p]
            if rule.direction is INGRESS and (not rule.peers or any(b in EVERYWHERE for b in blocks)):
                yield of_policy(fleet, "NPC003", policy, f"{rule.place} lets every address in")


def open_outwards(fleet: Fleet) -> Iterator[Finding]:
    """Rules that let their pods connect to every address."""
    for policy in fleet.policies:
        for rule in rules(policy):
            blocks = [p["ipBlock"] for p in rule.peers if "ipBlock" in p]
            whole = any(b["cidr"] in EVERYWHERE and not b.get("except") for b in blocks)
            if rule.direction is EGRESS and (whole or not (rule.peers or rule.ports)):
                yield of_policy(fleet, "NPC011", policy, f"{rule.place} lets it connect to every address")
