"""Puts back what an engine left half done and nobody takes up; needs the API server alone, whatever the engine is.

The whole rollout goes back, not its open wave alone: what has ended is everywhere at `before` or everywhere at
`after`, and no phase says anything else. Between two waves that is not needed: then the guard tells, and writes nothing.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from orchestrator.context import Context, change, read
from orchestrator.elapsed import Reading, reading, since
from orchestrator.engine.boundary import boundary, unforeseen
from orchestrator.engine.instruments import GuardInstruments
from orchestrator.engine.lease import Lease
from orchestrator.engine.lease_watch import LeaseWatch
from orchestrator.engine.upkeep.bridge_sweep import Sweeper
from orchestrator.engine.worker import Embedded
from orchestrator.errors import NetpolCanaryError, NotFound, PortError
from orchestrator.rollout.abandoned import LOST, left
from orchestrator.rollout.next import Action, State, Verb, next_action
from orchestrator.steps import restore

LEASE, LEASE_SECONDS = "guard", 15.0
INTERVAL = 5.0
MOST_AT_ONCE = 8
GAP = 10.0  # seconds beyond the interval without a look, after which nothing that was seen before counts
SILENT = "EngineSilent"
# Not `release`, which writes the source: what follows for it, and for the revision, is for an engine that is back.
BACK: frozenset[Verb] = frozenset({"restore", "confirm", "verify", "finish"})


class Pool(Protocol):
    def submit(self, work: Callable[[str], State], name: str, /) -> Future[State]: ...


@dataclass
class Rescue(Embedded):
    """Takes one rollout over and rolls it back; leaves it where another worker has it, or something else comes next."""

    def _leaves(self, action: Action | None) -> bool:
        return action is None or action.verb not in BACK

    def _take_over(self, lease: Lease, state: State) -> None:
        """Phase and epoch in one swap. Every request of the old worker has ended: the Lease stood still for longer."""
        status, kind = state.rollout.status, left(state)
        if status.phase == "RollingBack":
            text = f"the guard {self.holder} goes on where another worker stopped"
            go = Action("wait", status.wave, "TakenOver", text)
            change(self.ctx, state, go, epoch=status.epoch + 1)
        elif kind == "half":
            restore.begin(self.ctx, state, self._why(state), status.epoch + 1)
        lease.taken_over = False

    def _why(self, state: State) -> Action:
        """What stands in the cluster goes before: a verdict, a person's request, its deletion."""
        found = next_action(state, self.ctx.clock.now())
        if found.verb == "rollback" and found.reason != "ProgressDeadlineExceeded":
            return found
        wave = state.rollout.status.wave
        text = f"nobody worked on it any more while wave {wave} was written and not promoted"
        return Action("rollback", wave, LOST, text)


@dataclass
class Guard:
    """One of several replicas acts, by the Lease `guard`; all of them look, so that the next one need not begin anew."""

    ctx: Context
    holder: str
    instruments: GuardInstruments
    interval: float = INTERVAL
    stop: Callable[[], bool] = lambda: False
    lease_seconds: float = LEASE_SECONDS
    _lookout: LeaseWatch = field(init=False, repr=False)
    _work: dict[str, Future[State]] = field(default_factory=dict, repr=False)
    _told: dict[str, str] = field(default_factory=dict, repr=False)
    _looked: Reading | None = field(default=None, repr=False)
    lease: Lease = field(init=False, repr=False)
    _sweeper: Sweeper = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._lookout = LeaseWatch(self.ctx, self.holder, self.lease_seconds)
        self.lease = Lease(self.ctx, LEASE, self.holder, self.lease_seconds)
        self._sweeper = Sweeper(self.ctx, labels=False)

    def serve(self) -> None:
        """Until `stop`; a rollout that is being rolled back is left between two calls."""
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="guard") as pool:
            while not self.stop():
                self.ctx.clock.sleep(self.round(pool))
        with suppress(PortError):
            self.lease.release()

    def ready(self) -> bool:
        """Whether it could look lately."""
        seconds = since(self.ctx.clock, self._looked)
        return seconds is not None and seconds < 4 * self.interval + 60

    def round(self, pool: Pool) -> float:
        """Look at every rollout, act where this replica has the Lease; the seconds until the next round."""
        try:
            leads = self.lease.acquire()
            self.instruments.leader.set(leads)
            due = self._look(pool, leads)
            if leads:
                with boundary("bridges", self.instruments.faulted):
                    self._sweeper.look()
            self.instruments.rounds.labels("ok").inc()
        except NetpolCanaryError as error:
            self._lookout.forget()
            self.instruments.rounds.labels("error").inc()
            structlog.get_logger().warning("this round came to nothing", error=str(error))
            return self.interval
        except Exception as error:
            self._lookout.forget()
            self.instruments.rounds.labels("error").inc()
            unforeseen(error, "round", self.instruments.faulted)
            return self.interval
        return min([self.interval, *(max(seconds, 0.1) for seconds in due.values() if seconds > 0)])

    def _look(self, pool: Pool, leads: bool) -> dict[str, float]:
        now = reading(self.ctx.clock)
        seconds = since(self.ctx.clock, self._looked)
        if seconds is None or seconds > self.interval + GAP:
            self._lookout.forget()
        due = self._lookout.look()
        self._looked = now
        lost = [name for name, seconds in due.items() if seconds <= 0]
        silent = 0
        for name in lost:
            try:
                silent += bool(self._lost(pool, leads, name))
            except NotFound:
                continue
            except NetpolCanaryError as error:  # one that cannot be read stands in no other's way
                structlog.get_logger().warning("a rollout cannot be read", rollout=name, error=str(error))
            except Exception as error:
                unforeseen(error, "rollout", self.instruments.faulted)
        self.instruments.silent.set(silent)
        self._told = {n: said for n, said in self._told.items() if n in due}
        return due

    def _lost(self, pool: Pool, leads: bool, name: str) -> str:
        """What a rollout whose Lease is lost was left as; empty where that is well."""
        state = read(self.ctx, name)
        kind = left(state)
        if leads and kind == "half":
            self._rescue(pool, name)
        if leads and kind == "between":
            self._tell(state)
        return kind

    def _rescue(self, pool: Pool, name: str) -> None:
        before = self._work.pop(name, None)
        if before is not None and not before.done():
            self._work[name] = before
            return
        if before is not None and before.exception() is not None:
            structlog.get_logger().warning(
                "a rescue stopped", rollout=name, error=str(before.exception()), hint="it is tried again"
            )
        structlog.get_logger().warning("nobody works on it any more: it is rolled back", rollout=name)
        self._work[name] = pool.submit(self._work_off, name)

    def _work_off(self, name: str) -> State:
        lease = self._lookout.lease(name)
        lease.taken_over = True  # whoever had it did not hand it over
        worker = Rescue(self.ctx, self.holder, self.lease_seconds, self.stop, lease=lease)
        worker.faulted = self.instruments.faulted
        state = worker.drive(name)
        self.instruments.rescues.labels(state.rollout.status.phase).inc()
        return state

    def _tell(self, state: State) -> None:
        """Once for each state that it was left in: an Event, a line in the log, a count."""
        rollout = state.rollout
        version = str(rollout.manifest["metadata"].get("resourceVersion", ""))
        if self._told.get(rollout.name) == version:
            return
        self._told[rollout.name] = version
        self.instruments.alerts.inc()
        text = (
            f"nobody works on it any more; it is {rollout.status.phase} before wave {rollout.status.wave} is written, "
            "nothing has to be rolled back, and a controller or `netpol-canary run` goes on from here"
        )
        if self.ctx.notifier is not None:
            self.ctx.notifier.notify(rollout.manifest, SILENT, text, True)
