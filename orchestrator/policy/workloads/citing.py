"""Where a rule that decides stands: its file and line, from the repository's root, and the commit that made it so."""

import re
from collections.abc import Callable
from typing import Protocol

from orchestrator.policy.files.doubles import bare, paired
from orchestrator.policy.workloads.fleet import Fleet

Commits = Callable[[str, str, str], str]
_RULE = re.compile(
    r"((?:Calico |Global|Cluster|Cilium(?:Clusterwide)?|(?:Baseline)?Admin)?NetworkPolicy[ /][^\s:]+)"
    r"(?: ((?:specs\[\d+\]\.)?(?:in|e)gress(?:Deny)?\[\d+\]))?"
)


class History(Protocol):
    """Which commits touched policies: asked with a file, a policy, and a rule such as `ingress[0]` or nothing for all of it."""

    def made(self, file: str, policy: str, rule: str) -> str:
        """The commit that made it what it is after a change; empty where none did."""

    def changed(self, file: str, policy: str, rule: str) -> str:
        """The commit that changed what stood there before; empty where none did."""


def located(fleet: Fleet, rule: str, commits: Commits | None = None, field: str = "") -> str:
    """A deciding rule with the file and line of what decides: of `field`, else of the rule, else of its policy; and its commit."""
    match = _RULE.match(rule)
    name, part = (match[1], match[2] or "") if match else ("", "")
    where = stands(fleet, name, field or part)
    if not where:
        return bare(rule)
    commit = commits(where.rpartition(":")[0], bare(name), part) if commits else ""
    return f"{bare(rule)} ({where}{f', {commit}' if commit else ''})"


def policy_of(rule: str) -> str:
    """The policy of a deciding rule, by its name in `Fleet.lines`; empty where none decides."""
    match = _RULE.match(rule)
    return match.group(1) if match else ""


def same_before(before: Fleet, after: Fleet) -> dict[str, str]:
    """The policies that stood before a change, by their titles then, and the titles that they have afterwards."""
    return {
        then: now
        for name in before.copies.keys() & after.copies.keys()
        for now, then in paired(before.copies[name], after.copies[name]).items()
    }


def stands(fleet: Fleet, name: str, field: str = "") -> str:
    """`file:line` of a policy or a workload, or of a field below its `spec`, or in its `specs`; empty where nobody knows."""
    where = fleet.lines.get(name, "")
    path = field if field.startswith("specs[") or not field else f"spec.{field}"
    line = fleet.places.of(where, bare(name), path).line if where else 0
    return f"{where.rpartition(':')[0]}:{line}" if where else ""
