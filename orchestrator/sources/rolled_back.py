"""Namespaces in which the current revision itself was rolled back: nothing tries it there again by itself."""

from collections.abc import Collection, Mapping, Sequence

from orchestrator.rollout.abandoned import LOST
from orchestrator.rollout.outbox import turned_back
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.rollout.resources.resource import Rollout, Source
from orchestrator.wording import few

MOST_NAMED = 5


def refusing(source: Source, rollouts: Sequence[Rollout], removals: bool = False) -> dict[str, Rollout]:
    """By namespace the rollout that says so: the last one that ended there, other than to make room for a newer revision.

    With `removals`, of those from which the source's policies were to be removed. A rollout that nobody worked on any more
    says nothing of the revision; the second one does, for the revision may be what takes the engine away.
    """
    ended = [
        r
        for r in rollouts
        if r.spec.source == source.name
        and r.spec.revision == source.status.current_revision
        and r.status.phase in TERMINAL
        and (r.spec.cause == "orphans") == removals
        and all(t.reason != "Superseded" for t in r.status.transitions)
    ]
    once = sum(turned_back(r.status) == LOST for r in ended) == 1
    last: dict[str, Rollout] = {}
    for rollout in sorted(ended, key=lambda r: (r.age[0], len(r.name), r.name)):
        last |= dict.fromkeys(rollout.spec.written, rollout)
    return {n: r for n, r in last.items() if _back(r) and not (once and turned_back(r.status) == LOST)}


def refused(source: Source, rollouts: Sequence[Rollout], removals: bool = False) -> frozenset[str]:
    """The namespaces alone."""
    return frozenset(refusing(source, rollouts, removals))


def told(back: Mapping[str, Rollout], names: Collection[str]) -> str:
    """For people: in which namespaces, by which rollouts, and what helps."""
    found = sorted(names)
    by = sorted({back[name].name for name in found})[:MOST_NAMED]
    hint = f"a new revision, or `kubectl delete policyrollout {' '.join(by)}`, lets it be tried again"
    return f"but not in {few(found, MOST_NAMED)}: rolled back by {', '.join(by)}; {hint}"


def _back(rollout: Rollout) -> bool:
    return rollout.status.phase in ("RolledBack", "Failed")
