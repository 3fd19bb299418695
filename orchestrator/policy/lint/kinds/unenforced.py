"""Policies of APIs that Cilium does not enforce, beside those of Cilium."""

from collections.abc import Iterator

from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.schemas.policy_kinds import unenforced
from orchestrator.policy.workloads.fleet import Fleet


def without_effect(fleet: Fleet) -> Iterator[Finding]:
    """Each of them: it counts for nothing in any answer."""
    for policy in unenforced(fleet.further):
        whose = "Cilium, whose policies stand beside it, does not enforce it"
        yield of_policy(fleet, "NPC040", policy, f"{whose}: {policy['kind']} of {policy['apiVersion']}")
