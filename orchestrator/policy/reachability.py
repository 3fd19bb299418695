"""Which namespaces talk to each other, before and after a change, by every pod's declared ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.evaluator import NamedPort, Network, Pod

MOST_PAIRS = 100_000


@dataclass(frozen=True)
class Neighbours:
    """Namespaces whose connections with the changed ones change, and all that have any with them.

    `complete` is False where there were more pairs of pods than are looked at.
    """

    affected: frozenset[str]
    connected: frozenset[str]
    complete: bool = True


def pods_of(manifests: Iterable[Mapping[str, Any]]) -> list[Pod]:
    """One pod for each namespace and set of labels: replicas answer alike."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Pod] = {}
    for item in manifests:
        meta, spec = item["metadata"], item.get("spec") or {}
        labels = meta.get("labels") or {}
        ports = tuple(
            NamedPort(str(p.get("name", "")), int(p["containerPort"]), str(p.get("protocol", "TCP")))
            for c in spec.get("containers") or []
            for p in c.get("ports") or []
        )
        pod = Pod(meta["namespace"], meta["name"], labels, "", ports)
        found.setdefault((pod.namespace, tuple(sorted(labels.items()))), pod)
    return list(found.values())


def _pairs(pods: Sequence[Pod], changed: frozenset[str]) -> Iterator[tuple[Pod, Pod]]:
    for src in pods:
        for dst in pods:
            if src is not dst and (src.namespace in changed or dst.namespace in changed):
                yield src, dst


def neighbours(pods: Sequence[Pod], before: Network, after: Network, changed: frozenset[str]) -> Neighbours:
    """Evaluate every pair of pods with an end in a changed namespace."""
    affected: set[str] = set()
    connected: set[str] = set()
    for number, (src, dst) in enumerate(_pairs(pods, changed)):
        if number >= MOST_PAIRS:
            return Neighbours(frozenset(affected), frozenset(p.namespace for p in pods) - changed, False)
        for port in dst.ports:
            old = before.allowed(src, dst, port.protocol, port.port)
            new = after.allowed(src, dst, port.protocol, port.port)
            if old or new:
                connected |= {src.namespace, dst.namespace}
            if old != new:
                affected |= {src.namespace, dst.namespace}
    return Neighbours(frozenset(affected - changed), frozenset(connected - changed))
