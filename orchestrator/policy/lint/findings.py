"""One place that a rule of lint found; all rules by their ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.errors import Cited
from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.lint.rules import of_kinds, of_kubernetes
from orchestrator.policy.lint.rules.rule import Rule, Severity
from orchestrator.policy.workloads.fleet import Fleet

IGNORE = "netpol-canary.dev/lint-ignore"


@dataclass(frozen=True)
class Finding:
    """One place that a rule found; `ignored` is the reason that the object's annotation gives.

    `fix` says more than the rule's, `cited` where in its text a file could not be read.
    """

    rule: Rule
    subject: str
    message: str
    where: str = ""
    ignored: str = ""
    fix: str = ""
    cited: Cited | None = None


RULES = {rule.id: rule for rule in (*of_kubernetes.RULES, *of_kinds.RULES)}


def of_policy(fleet: Fleet, rule: str, policy: Mapping[str, Any], message: str, fix: str = "") -> Finding:
    """A finding about a policy, where it begins."""
    meta = policy["metadata"]
    return Finding(
        RULES[rule],
        bare(title(policy)),
        message,
        fleet.lines.get(title(policy), ""),
        reasons(meta).get(rule, ""),
        fix,
    )


def softened(finding: Finding, severity: Severity) -> Finding:
    """The finding with another severity than its rule's."""
    return replace(finding, rule=replace(finding.rule, severity=severity))


def reasons(meta: Mapping[str, Any]) -> dict[str, str]:
    """The rules that an object's annotation ignores, and why: `NPC003: the public entrance; NPC008: ...`."""
    text = str((meta.get("annotations") or {}).get(IGNORE, ""))
    parts = (part.split(":", 1) for part in text.split(";") if ":" in part)
    return {key.strip(): reason.strip() for key, reason in parts if reason.strip()}
