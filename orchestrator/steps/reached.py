"""The namespaces that a source had when its revision was verified, as the rollout that verified it froze them."""

from __future__ import annotations

from orchestrator.errors import NotFound
from orchestrator.rollout.plan import Plan
from orchestrator.rollout.resource import Rollout, Source, load
from orchestrator.steps.context import ROLLOUT, Context


def reached(ctx: Context, source: Source) -> frozenset[str]:
    """Empty where nothing is verified, or an older version did it."""
    name = source.status.verified_rollout
    if not name:
        return frozenset()
    try:
        found: Rollout = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
    except NotFound:
        return frozenset()
    return frozenset(found.spec.selected)


def covered(plan: Plan, before: frozenset[str], cause: str) -> list[str]:
    """What a rollout leaves at its revision: all that is selected, or what was there before and what it adds."""
    if cause == "revision" or not before:
        return sorted(plan.selected)
    if cause == "namespaces":
        return sorted(before | plan.namespaces.keys())
    if cause == "orphans":
        return sorted(before - plan.namespaces.keys())
    return sorted(before)
