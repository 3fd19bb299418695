"""Where a rule that decides stands: its file and line, from the repository's root, and the commit that made it so."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestrator.policy.fleet import Fleet

_RULE = re.compile(r"((?:Cluster)?NetworkPolicy[ /][^\s:]+)(?: ((?:in|e)gress\[\d+\]))?")


def located(fleet: Fleet, rule: str, commits: Mapping[str, str] | None = None, field: str = "") -> str:
    """A deciding rule with the file and line of what decides: of `field`, else of the rule, else of its policy."""
    match = _RULE.match(rule)
    where = stands(fleet, match.group(1), field or match.group(2) or "") if match else ""
    if not where:
        return rule
    commit = (commits or {}).get(where.rpartition(":")[0], "")
    return f"{rule} ({where}{f', {commit}' if commit else ''})"


def policy_of(rule: str) -> str:
    """The policy of a deciding rule, by its name in `Fleet.lines`; empty where none decides."""
    match = _RULE.match(rule)
    return match.group(1) if match else ""


def stands(fleet: Fleet, name: str, field: str = "") -> str:
    """`file:line` of a policy or a workload, or of a field below its `spec`; empty where nobody knows."""
    where = fleet.lines.get(name, "")
    line = fleet.places.of(where, name, f"spec.{field}" if field else "").line if where else 0
    return f"{where.rpartition(':')[0]}:{line}" if where else ""
