"""How many rollouts, and namespaces of theirs, may be in an open wave at once across all sources."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.context import ROLLOUT, Capacity
from orchestrator.errors import BadInput
from orchestrator.ports import Cluster, Manifest
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Rollout, load
from orchestrator.wording import agreeing, many

MOST_NAMED = 3


@dataclass
class Limits(Capacity):
    """For the workers of one controller. First come, first served; a wave that is too large alone goes alone,
    and none together with further waves that do not fit.

    The way back asks for no capacity, but takes it.
    """

    cluster: Cluster
    namespace: str
    most_rollouts: int
    most_namespaces: int
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._lock:
            yield

    def lacking(self, rollout: Rollout, more: int = 0) -> str:
        found = [o for o in self.cluster.list(ROLLOUT, self.namespace) if _counts(o, rollout.name)]
        try:
            others = [load(o) for o in found]
        except BadInput as error:  # nobody knows how much it takes
            return f"another rollout cannot be read: {error}"[:1000]
        first = [r for r in others if _queued_at(r) < _queued_at(rollout)]
        if first:
            return f"{len(first)} in the queue before it, the first is {min(first, key=_queued_at).name}"
        taken = {r.name: size for r in others if (size := _taken(r))}
        named = ", ".join(sorted(taken)[:MOST_NAMED]) + (", …" if len(taken) > MOST_NAMED else "")
        if len(taken) >= self.most_rollouts:
            return f"at most {many(self.most_rollouts, 'rollout')} at once, now {named}"
        wanted, used = len(rollout.spec.waves[rollout.status.wave].namespaces) + more, sum(taken.values())
        if (taken or more) and wanted + used > self.most_namespaces:
            limit = f"at most {many(self.most_namespaces, 'namespace')} at once"
            return f"{limit}, {used} {agreeing(used, 'is', 'are')} taken by {named}, this wave has {wanted}"
        return ""


def _counts(obj: Manifest, name: str) -> bool:
    """Another one that has not ended; the many that have are not even read."""
    return obj["metadata"]["name"] != name and (obj.get("status") or {}).get("phase") not in TERMINAL


def _taken(rollout: Rollout) -> int:
    """Namespaces that were written to, or may be at any moment, and are not judged good or rolled back yet."""
    status, waves = rollout.status, rollout.spec.waves
    if status.phase == "RollingBack":
        return sum(len(wave.namespaces) for wave in waves[: status.waves_started])
    if status.phase in ("Progressing", "Paused") and status.wave_is_open:
        return sum(len(waves[number].namespaces) for number in status.current)
    return 0


def _queued_at(rollout: Rollout) -> tuple[datetime, str]:
    """When it began to wait for room; far in the future where it does not."""
    status = rollout.status
    if status.phase != "Paused" or status.paused_for != "limit" or not status.transitions:
        return datetime.max.replace(tzinfo=UTC), ""
    return status.transitions[-1].time, rollout.name
