"""The namespaces that a source had when its revision was verified, and since when others count as new.

Both stand in the source's status, since people may delete a rollout that is over, and another may get its name.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.context import ROLLOUT, Context
from orchestrator.errors import NotFound
from orchestrator.rollout.order.plan import Plan
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.rollout.resources.timestamps import stamp


@dataclass(frozen=True)
class Verified:
    """When the rollout that verified the revision was created, by the API server's clock, and which namespaces it had."""

    since: datetime
    namespaces: frozenset[str]


def verified(source: Source, found: Rollout | None) -> Verified | None:
    """As the source's status says; where an older version wrote that, as the rollout does that it names."""
    status = source.status
    if status.current_revision_since is not None:
        return Verified(status.current_revision_since, frozenset(status.current_revision_namespaces))
    since = None if found is None else begun(found)
    return Verified(since, frozenset(found.spec.selected)) if found and since else None


def reached(ctx: Context, source: Source) -> frozenset[str]:
    """Empty where nothing is verified, or an older version did it."""
    name, found = source.status.current_revision_rollout, None
    if name and source.status.current_revision_since is None:
        try:
            found = load(ctx.cluster.get(ROLLOUT, name, ctx.namespace))
        except NotFound:
            return frozenset()
    known = verified(source, found)
    return known.namespaces if known else frozenset()


def begun(rollout: Rollout) -> datetime | None:
    """When it was created; the clock of whoever worked on it may be wrong."""
    return stamp(rollout.manifest["metadata"].get("creationTimestamp")) or rollout.status.started_at


def as_verified(rollout: Rollout) -> dict[str, Any]:
    """What the source's status says of the rollout that verified its revision."""
    return {
        "current_revision_rollout": rollout.name,
        "current_revision_since": begun(rollout),
        "current_revision_namespaces": list(rollout.spec.selected),
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
