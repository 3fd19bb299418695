"""Who waits to be told what: one queue a receiver, over all rollouts of its source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from orchestrator.rollout.resources.resource import Rollout


class Receiver(NamedTuple):
    """A source, and who of its receivers."""

    source: str
    to: str

    @property
    def kind(self) -> str:
        return self.to.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.source}: {self.to}"


def queues(rollouts: Sequence[Rollout]) -> dict[Receiver, list[str]]:
    """For each receiver the rollouts that have something for it, by what has waited longest."""
    first: dict[Receiver, dict[str, datetime]] = {}
    for rollout in rollouts:
        for entry in rollout.status.outbox:
            for to in entry.to:
                waiting = first.setdefault(Receiver(rollout.spec.source, to), {})
                waiting.setdefault(rollout.name, entry.time)
    return {receiver: sorted(found, key=lambda n: found[n]) for receiver, found in first.items()}
