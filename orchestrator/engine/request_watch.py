"""Notices at once what people ask for: one watch a kind, which only makes the next round come sooner."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import structlog

from orchestrator.context import APPROVAL, FREEZE, ROLLOUT, SOURCE
from orchestrator.errors import Gone
from orchestrator.ports import Cluster, Event, Kind, Manifest
from orchestrator.rollout.polling import request
from orchestrator.rollout.resources.bounds import marked
from orchestrator.rollout.state import REQUEST

KINDS = (ROLLOUT, SOURCE, APPROVAL, FREEZE)
WATCH_SECONDS = 20.0
EARLY = 1.0  # seconds; a watch that ends sooner is none
PAUSES = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)  # after errors, and after what is no watch
MOST_KNOWN = 20_000
MOST_SIGN = 800  # characters of a request


def sign(obj: Manifest) -> Hashable:
    """What people change of an object: another value than last time is worth a round. What we write ourselves is none."""
    meta, status = obj["metadata"], obj.get("status") or {}
    notes = meta.get("annotations") or {}
    asked = (marked(str(notes.get(REQUEST, "")), MOST_SIGN), request(meta), meta.get("deletionTimestamp", ""))
    return (meta.get("uid", ""), meta.get("generation", 0), *asked, status.get("blockedRevision", ""))


@dataclass
class Notice:
    """`taken` says whether something was asked for since it was called last. The rounds do without, only later."""

    cluster: Cluster
    namespace: str
    stop: Callable[[], bool] = lambda: False
    _known: dict[tuple[Kind, str], Hashable] = field(default_factory=dict, repr=False)
    _news: threading.Event = field(default_factory=threading.Event, repr=False)
    _closed: threading.Event = field(default_factory=threading.Event, repr=False)

    def begin(self) -> None:
        """Watch until `close`; the threads hold up no process that ends."""
        for kind in KINDS:
            threading.Thread(
                target=self._follow, args=(kind,), name=f"notice-{kind.kind}", daemon=True
            ).start()

    def close(self) -> None:
        """The watches end by themselves, soon."""
        self._closed.set()

    def taken(self) -> bool:
        """Whether there is news; asked again, there is none."""
        found = self._news.is_set()
        self._news.clear()
        return found

    def see(self, kind: Kind, event: Event) -> None:
        """One change."""
        key = (kind, str(event.obj["metadata"].get("name", "")))
        if event.type == "DELETED":
            news = self._known.pop(key, None) is not None
        else:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            now = sign(event.obj)
            news = self._known.get(key) != now
            self._known[key] = now
        if news:
            self._news.set()

    def _follow(self, kind: Kind) -> None:
        """Real time, as that of the watch itself: nothing is decided by it."""
        since, failed = "", 0
        while not (self._closed.is_set() or self.stop()):
            began = time.monotonic()
            try:
                since = self._watch(kind, since)
                early = time.monotonic() - began < EARLY
            except Exception as error:  # whatever it is, the rounds come without it
                since, early = "", not isinstance(error, Gone)
                structlog.get_logger().debug("a watch is begun again", kind=kind.kind, error=str(error))
            failed = failed + 1 if early else 0
            if failed:
                self._closed.wait(PAUSES[min(failed, len(PAUSES)) - 1])

    def _watch(self, kind: Kind, since: str) -> str:
        for event in self.cluster.watch(kind, self.namespace, since=since, seconds=WATCH_SECONDS):
            since = str(event.obj["metadata"].get("resourceVersion", since))
            self.see(kind, event)
            if self._closed.is_set():
                break
        return since
