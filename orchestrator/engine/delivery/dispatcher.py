"""Tells receivers what stands in the rollouts' outboxes, in threads of its own, and takes off what was told.

One courier at a time in a cluster, by a Lease that outlasts every send. It never waits for a receiver where a
rollout is worked on, and writes nothing while a receiver fails: what is wrong is an Event.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog

from orchestrator.context import ROLLOUT, Context
from orchestrator.elapsed import steady
from orchestrator.engine.delivery.acknowledge import taken_off
from orchestrator.engine.delivery.backoff import Backoff
from orchestrator.engine.delivery.bounded_threads import BoundedThreads
from orchestrator.engine.delivery.receivers import Sender, Unwanted
from orchestrator.engine.lease import Lease
from orchestrator.errors import NetpolCanaryError, NotFound
from orchestrator.rollout import outbox
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import Rollout, load
from orchestrator.sources.prune import closed, let_go
from orchestrator.wording import many

LEASE, LEASE_SECONDS = "courier", 60.0
SEND_SECONDS = 25.0  # longer than any adapter takes for one send
MOST_REMEMBERED = 1000


@dataclass
class Dispatcher:
    """`start` begins an errand elsewhere, or says no; `told` counts by kind of receiver and outcome."""

    ctx: Context
    holder: str
    post: Sender
    start: Callable[[Callable[[], None]], bool] = field(default_factory=BoundedThreads)
    told: Callable[[str, str], None] = lambda kind, outcome: None
    stop: Callable[[], bool] = lambda: False
    _lease: Lease = field(init=False, repr=False)
    _returned: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _away: set[Receiver] = field(default_factory=set, repr=False)
    _backoff: Backoff = field(init=False, repr=False)
    _sent: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict, repr=False)

    def __post_init__(self) -> None:
        self._lease = Lease(self.ctx, LEASE, self.holder, LEASE_SECONDS)
        self._backoff = Backoff(self.holder)

    def look(self, rollouts: Sequence[Rollout]) -> None:
        """Begin what is due, and let go of what was told. Waits for no receiver, and raises for none."""
        try:
            for rollout in rollouts:
                if closed(rollout) and not rollout.status.outbox:
                    let_go(self.ctx, rollout.manifest, outbox.UNSENT)
            waiting = queues(rollouts)
            self._backoff.keep({str(r) for r in waiting})
            if not waiting or not self._lease.acquire():
                return
        except NetpolCanaryError as error:
            structlog.get_logger().warning("nothing can be sent now", error=str(error))
            return
        now = steady(self.ctx.clock)
        due = {r: self._backoff.due(str(r), now) for r in waiting}
        for receiver in sorted(waiting, key=lambda r: due[r]):
            if due[receiver] > now or not self._leave(receiver):
                continue
            if not self.start(partial(self._errand, receiver, waiting[receiver])):
                self._back(receiver)

    def deliver(self, source: str, seconds: float) -> bool:
        """For a process that ends: tell what a source's rollouts have to tell, for so long at most.

        True where nothing is left to tell.
        """
        end = steady(self.ctx.clock) + timedelta(seconds=seconds)
        while not self.stop():
            try:
                labels = f"{SOURCE_LABEL}={source}"
                found = self.ctx.cluster.list(ROLLOUT, self.ctx.namespace, labels)
                rollouts: list[Rollout] = [load(o) for o in found]
            except NetpolCanaryError:
                return False
            self.look(rollouts)
            if not any(r.status.outbox for r in rollouts):
                return True
            if steady(self.ctx.clock) >= end:
                return False
            self.ctx.clock.sleep(0.2)
        return False

    def close(self, seconds: float = 0) -> None:
        """Wait so long for what is under way; another courier may begin at once where nothing is any more."""
        with self._returned:
            idle = self._returned.wait_for(lambda: not self._away, seconds)
        if not idle or self._lease.renewed is None:
            return
        with suppress(NetpolCanaryError):
            self._lease.release()

    def _leave(self, receiver: Receiver) -> bool:
        with self._returned:
            free = receiver not in self._away
            self._away.add(receiver)
            return free

    def _back(self, receiver: Receiver) -> None:
        with self._returned:
            self._away.discard(receiver)
            self._returned.notify_all()

    def _errand(self, receiver: Receiver, names: Sequence[str]) -> None:
        """One receiver: its rollouts in their order, so that nothing overtakes what went before."""
        try:
            for name in names:
                with structlog.contextvars.bound_contextvars(rollout=name, receiver=receiver.to):
                    if not self._one(receiver, name):
                        return
        finally:
            self._back(receiver)

    def _one(self, receiver: Receiver, name: str) -> bool:
        """Tell a receiver what one rollout has for it, as it stands now; False where that has to wait."""
        rollout: Rollout | None = None
        try:
            rollout = load(self.ctx.cluster.get(ROLLOUT, name, self.ctx.namespace))
            known = [e for e in rollout.status.outbox if receiver.to in e.to]
            told = [e.id for e in known if (e.id, receiver.to) in self._sent]
            if told:
                taken_off(self.ctx, name, told, receiver.to)
            for batch in self.post.batches(rollout, receiver.to, [e for e in known if e.id not in told]):
                if not self._lease.safe(SEND_SECONDS):
                    return False
                self._tell(rollout, receiver, batch)
                self._backoff.good(str(receiver))
            return True
        except NotFound:
            return True
        except Exception as error:
            self._went_wrong(receiver, rollout, error)
            return False

    def _tell(self, rollout: Rollout, receiver: Receiver, batch: Sequence[m.Outgoing]) -> None:
        outcome, to = "sent", receiver.to
        try:
            self.post.send(rollout, to, batch)
        except Unwanted as why:
            structlog.get_logger().info("not notified any more", why=str(why))
            outcome = "unwanted"
        with self._returned:
            self._sent.update({(e.id, to): None for e in batch})
            while len(self._sent) > MOST_REMEMBERED:
                self._sent.popitem(last=False)
        self.told(receiver.kind, outcome)
        taken_off(self.ctx, rollout.name, [e.id for e in batch], to)

    def _went_wrong(self, receiver: Receiver, rollout: Rollout | None, error: Exception) -> None:
        """Say so once, come again later, and give up on what has waited for a day."""
        count = self._backoff.failed(
            str(receiver), steady(self.ctx.clock), getattr(error, "retry_after", 0.0)
        )
        self.told(receiver.kind, "failed")
        text = f"{receiver.to} could not be notified: {error or type(error).__name__}"[:900]
        structlog.get_logger().warning(text, tries=count)
        if rollout is None:
            return
        if count == 1 and self.ctx.notifier is not None:
            self.ctx.notifier.notify(rollout.manifest, "DeliveryDelayed", f"{text}; it is tried again", True)
        left = [
            e for e in rollout.status.outbox if receiver.to in e.to and (e.id, receiver.to) not in self._sent
        ]
        late = [e.id for e in left if outbox.overdue(e, self.ctx.clock.now())]
        if late:
            self._gave_up(rollout, receiver, late, text)

    def _gave_up(self, rollout: Rollout, receiver: Receiver, ids: Sequence[str], text: str) -> None:
        message = f"{many(len(ids), 'message')} given up after a day: {text}"
        self.told(receiver.kind, "given up")
        try:
            taken_off(self.ctx, rollout.name, ids, receiver.to, message)
        except NetpolCanaryError as error:
            structlog.get_logger().warning("the outbox could not be written", error=str(error))
            return
        if self.ctx.notifier is not None:
            self.ctx.notifier.notify(rollout.manifest, "DeliveryFailed", message, True)


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
