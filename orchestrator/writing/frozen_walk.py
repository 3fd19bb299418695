"""Where the walk of a namespace is kept: in the status of its NamespaceRollout, before the first write of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.context import Context
from orchestrator.rollout.order.write_path import Objects
from orchestrator.rollout.resources.resource import NamespaceRollout, load


@dataclass
class Frozen:
    """The walk that is known, and how one is kept; by itself it keeps nothing.

    `made` is what this worker created on it and has not deleted again, each as it was last written.
    """

    texts: Sequence[str] = ()
    keep: Callable[[list[str]], None] = lambda texts: None
    made: Objects = field(default_factory=dict)


class Record:
    """A NamespaceRollout whose walk may be frozen; `item` is as it stands then, `made` as Frozen has it."""

    def __init__(self, ctx: Context, item: NamespaceRollout) -> None:
        self._ctx, self.item = ctx, item
        self.made: Objects = {}

    def frozen(self) -> Frozen:
        return Frozen(self.item.status.writes, self._keep, self.made)

    def _keep(self, texts: list[str]) -> None:
        status = self.item.status.model_copy(update={"writes": texts})
        self.item = load(self._ctx.cluster.replace_status(self.item.with_status(status)))
