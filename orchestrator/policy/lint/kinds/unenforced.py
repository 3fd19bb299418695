"""Policies that the CNI does not enforce: the one that is named, or Cilium beside whose policies they stand."""

from collections.abc import Iterator

from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.workloads.fleet import Fleet


def without_effect(fleet: Fleet) -> Iterator[Finding]:
    """Each of them: it counts for nothing in any answer."""
    for policy, why in fleet.unenforced:
        yield of_policy(fleet, "NPC040", policy, f"{why}: {policy['kind']} of {policy['apiVersion']}")
