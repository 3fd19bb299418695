"""Where the cluster differs from the current revision, and who made it so; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.context import Context
from orchestrator.errors import NotFound
from orchestrator.planning.newcomers import unreached
from orchestrator.planning.planner import plan
from orchestrator.ports import Kind
from orchestrator.rollout.managers import Other, last_writer
from orchestrator.rollout.order.plan import ObjectChange
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.places import space
from orchestrator.rollout.resources.resource import Rollout, Source
from orchestrator.sources.verified_state import reached
from orchestrator.wording import few

MOST_LOOKED_AT = 20
MOST_NAMED = 8


@dataclass(frozen=True)
class Difference:
    """One object; `by` is who wrote it last, None where nothing tells."""

    namespace: str
    object: str
    how: str
    by: Other | None = None

    @property
    def text(self) -> str:
        return f"{self.namespace}/{self.object} {self.how}" + (f" by {self.by.text}" if self.by else "")


@dataclass(frozen=True)
class Drift:
    """`contested` names objects that something else manages as well; `fighters` who wrote what differs."""

    differences: tuple[Difference, ...]
    contested: tuple[str, ...] = ()

    @property
    def namespaces(self) -> frozenset[str]:
        return frozenset(d.namespace for d in self.differences)

    @property
    def fighters(self) -> str:
        return ", ".join(sorted({d.by.text for d in self.differences if d.by})[:3])

    @property
    def text(self) -> str:
        """For people; bounded."""
        return few([d.text for d in self.differences], MOST_NAMED, "; ", "; and")[:3000]


def drift(ctx: Context, source: Source, rollouts: Sequence[Rollout]) -> Drift:
    """Raises BadInput where the current revision cannot be planned any more. Namespaces that are new do not count."""
    made = plan(ctx, source, source.status.current_revision, left=reached(ctx, source))
    fresh = unreached(ctx, source, rollouts) if made.namespaces else frozenset()
    changes = [
        (name, change)
        for name, found in sorted(made.namespaces.items())
        if name not in fresh
        for change in found.changes
    ]
    near = [_difference(ctx, *item) for item in changes[:MOST_LOOKED_AT]]
    far = [Difference(name, change.label, _how(change)) for name, change in changes[MOST_LOOKED_AT:]]
    return Drift((*near, *far), made.remarks)


def _how(change: ObjectChange) -> str:
    """From what would have to be done, what was done."""
    return {"create": "is gone", "delete": "is not in Git, written", "update": "was changed"}[change.action]


def _difference(ctx: Context, namespace: str, change: ObjectChange) -> Difference:
    by = None
    if change.before is not None:
        api_version, kind, name = objects.key(change.before)
        try:
            by = last_writer(ctx.cluster.get(Kind(api_version, kind), name, space(namespace)))
        except NotFound:
            by = None
    return Difference(namespace, change.label, _how(change), by)
