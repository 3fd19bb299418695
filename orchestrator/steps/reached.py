"""The namespaces that a source had when its revision was verified, and since when others count as new.

Both stand in the rollout that verified it, and in the source's status, since people may delete a rollout that is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.errors import NotFound
from orchestrator.rollout.plan import Plan
from orchestrator.rollout.resource import Rollout, Source, load
from orchestrator.rollout.stamps import stamp
from orchestrator.steps.context import ROLLOUT, Context


def reached(ctx: Context, source: Source) -> frozenset[str]:
    """Empty where nothing is verified, or an older version did it."""
    name = source.status.verified_rollout
    try:
        found: Rollout | None = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace)) if name else None
    except NotFound:
        found = None
    return frozenset(found.spec.selected if found else source.status.verified_namespaces)


def begun(rollout: Rollout) -> datetime | None:
    """When it was created, by the API server's clock: that of whoever worked on it may be wrong."""
    return stamp(rollout.manifest["metadata"].get("creationTimestamp")) or rollout.status.started_at


def as_verified(rollout: Rollout) -> dict[str, Any]:
    """What the source's status says of the rollout that verified its revision."""
    return {
        "verified_rollout": rollout.name,
        "verified_since": begun(rollout),
        "verified_namespaces": list(rollout.spec.selected),
    }


def covered(plan: Plan, before: frozenset[str], cause: str) -> list[str]:
    """What a rollout leaves at its revision: all that is selected, or what was there before and what it adds.

    Nothing was there `before` a revision that is new.
    """
    if not before:
        return sorted(plan.selected)
    if cause in ("revision", "namespaces"):
        return sorted(before | plan.namespaces.keys())
    if cause == "orphans":
        return sorted(before - plan.namespaces.keys())
    return sorted(before)
