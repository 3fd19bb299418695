"""Which rollouts changed: one watch a kind for all readers, while there are any.

Readers learn that something changed, never what: they read it again with their own rights.
"""

from __future__ import annotations

import threading
from collections import Counter

from orchestrator.context import ANALYSIS, APPROVAL, FREEZE, NAMESPACE_ROLLOUT, ROLLOUT, SOURCE
from orchestrator.errors import Gone, NetpolCanaryError
from orchestrator.ports import Clock, Cluster, Kind, Manifest
from orchestrator.rollout.resources.objects import ROLLOUT_LABEL

KINDS = (SOURCE, ROLLOUT, NAMESPACE_ROLLOUT, ANALYSIS, APPROVAL, FREEZE)
WATCH_SECONDS = 20.0
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
MOST_NAMES = 2000


class Changes:
    """`count(name)` grows with each change of that rollout; the empty name stands for everything."""

    def __init__(self, cluster: Cluster, clock: Clock, namespace: str) -> None:
        self._cluster, self._clock, self._namespace = cluster, clock, namespace
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._readers = 0
        self._threads: dict[Kind, threading.Thread] = {}

    def __enter__(self) -> Changes:
        """One more reader."""
        with self._lock:
            self._readers += 1
            for kind in KINDS:
                thread = self._threads.get(kind)
                if thread is None or not thread.is_alive():
                    made = threading.Thread(target=self._follow, args=(kind,), daemon=True)
                    self._threads[kind] = made
                    made.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._readers -= 1

    @property
    def readers(self) -> int:
        """How many there are now."""
        return self._readers

    def count(self, name: str) -> int:
        """How often it changed since the first reader came."""
        return self._counts[name]

    def _follow(self, kind: Kind) -> None:
        """Until the last reader has gone; whatever goes wrong counts as a change, so that readers look again."""
        since, failed = "", 0
        while True:
            with self._lock:
                if not self._readers:
                    del self._threads[kind]
                    return
            try:
                since = self._watch(kind, since)
                failed = 0
            except Gone:
                since = ""
                self._add("")
            except NetpolCanaryError:
                since = ""
                self._clock.sleep(PAUSES[min(failed, len(PAUSES) - 1)])
                failed += 1

    def _watch(self, kind: Kind, since: str) -> str:
        for event in self._cluster.watch(kind, self._namespace, since=since, seconds=WATCH_SECONDS):
            since = str(event.obj["metadata"].get("resourceVersion", since))
            self._add(_rollout(kind, event.obj))
        return since

    def _add(self, name: str) -> None:
        with self._lock:
            if len(self._counts) > MOST_NAMES:
                self._counts.clear()
            self._counts[""] += 1
            if name:
                self._counts[name] += 1


def _rollout(kind: Kind, obj: Manifest) -> str:
    """The rollout that an object belongs to; empty for a source or a freeze."""
    if kind == ROLLOUT:
        return str(obj["metadata"]["name"])
    if kind == APPROVAL:
        return str((obj.get("spec") or {}).get("rollout", ""))
    return str((obj["metadata"].get("labels") or {}).get(ROLLOUT_LABEL, ""))
