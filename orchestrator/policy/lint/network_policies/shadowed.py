"""Policies that say nothing that others do not say already."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.network_policies.covering import covers
from orchestrator.policy.objects.directions import Direction, directions
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import selected


def shadowed(fleet: Fleet) -> Iterator[Finding]:
    """Each policy that others hold whole."""
    for policies in fleet.ruled.values():
        pods = {id(p): frozenset(id(x) for x in selected(fleet, p)) for p in policies}
        for number, policy in enumerate(policies):
            if not pods[id(policy)] or _default_deny(policy):
                continue
            others = [
                other
                for at, other in enumerate(policies)
                if at != number
                and pods[id(policy)] <= pods[id(other)]
                # Of two that say the same, the later one is called shadowed.
                and (at < number or not (_covered(other, [policy]) and pods[id(other)] <= pods[id(policy)]))
            ]
            if _covered(policy, others):
                names = ", ".join(sorted(_useful(policy, others))[:3])
                yield of_policy(fleet, "NPC007", policy, f"it says nothing that {names} does not say already")


def _default_deny(policy: Mapping[str, Any]) -> bool:
    """It stands for those that come later, whatever other policies say now."""
    selector = policy["spec"].get("podSelector") or {}
    return not requirements(selector) and not any(side.rules(policy) for side in Direction)


def _covered(policy: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether others isolate in every direction that it isolates, and hold each of its rules."""
    for side in directions(policy):
        mine = [o for o in others if side.in_force(o)]
        held = [rule for o in mine for rule in side.rules(o)]
        if not mine or not all(any(covers(wide, r, side) for wide in held) for r in side.rules(policy)):
            return False
    return True


def _useful(policy: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> set[str]:
    """The names of those that share a direction and, where it has rules, a rule."""
    found = set()
    for other in others:
        for side in directions(policy):
            own = side.rules(policy)
            if side.in_force(other) and (
                not own or any(covers(wide, r, side) for wide in side.rules(other) for r in own)
            ):
                found.add(str(other["metadata"]["name"]))
    return found
