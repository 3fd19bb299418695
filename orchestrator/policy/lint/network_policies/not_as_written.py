"""Manifests of another shape than the API has, policies that it refuses, and those that stand twice."""

from collections.abc import Iterator

from orchestrator.policy.files.doubles import bare, is_copy, title
from orchestrator.policy.lint.findings import RULES, Finding, of_policy
from orchestrator.policy.workloads.fleet import Fleet


def invalid(fleet: Fleet) -> Iterator[Finding]:
    """Policies that the API server refuses."""
    for policy, wrong in fleet.invalid:
        yield of_policy(fleet, "NPC012", policy, wrong)


def twice(fleet: Fleet) -> Iterator[Finding]:
    """Policies of which another one of the name stands before."""
    for policy in (*fleet.policies, *fleet.further):
        if is_copy(policy):
            first = fleet.lines.get(bare(title(policy)), "")
            yield of_policy(fleet, "NPC027", policy, f"another one of this name stands at {first}")


def malformed(fleet: Fleet) -> Iterator[Finding]:
    """A finding for each object that hides itself for its shape."""
    for document, wrong in fleet.malformed:
        meta, where = document.obj["metadata"], document.where
        space = f"{meta['namespace']}/" if meta.get("namespace") else ""
        yield Finding(RULES["NPC026"], f"{document.obj['kind']} {space}{meta['name']}", wrong, where)
