"""Works a rollout off in this process: read the state, ask what comes next, do it, until it ends."""

import contextvars
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from orchestrator.analysis.verdict import OBSERVER
from orchestrator.context import Context, change, read
from orchestrator.elapsed import Reading, reading, since
from orchestrator.engine.boundary import uncounted, unforeseen
from orchestrator.engine.failing import Failing
from orchestrator.engine.lease import Lease, of_rollout
from orchestrator.errors import (
    NetpolCanaryError,
    NotFound,
    PortError,
    RetryLater,
    Unreachable,
    Waiting,
)
from orchestrator.rollout.next import RESTING, Action, State, next_action
from orchestrator.rollout.resources.model import TERMINAL
from orchestrator.standstill import Deadlines
from orchestrator.steps.by_action import STEPS
from orchestrator.tenure import Tenure

T = TypeVar("T")
R = TypeVar("R")
REQUEST_TIMEOUT = 5.0
MOST_WAIT = 5.0
SOON = 5  # failures in a row after which it is tried again ever later
FIRST_REST, MOST_REST = 0.2, 5.0  # seconds
LOOK = 1.0  # seconds between two looks at what others do; more where there is much to read
MOST_FAULTS = 3  # times that what nobody foresaw is tried again, before the rollout stands still for a person
PATIENCE = 12  # deadlines that a worker waits where giving up helps nobody: the API server is out of reach, its machine slow


def threads(work: Callable[[T], R], items: Iterable[T], workers: int) -> list[R]:
    """Several at once; all have ended when this returns, and the first error is raised."""
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures = [pool.submit(contextvars.copy_context().run, work, item) for item in items]
        return [future.result() for future in futures]


def nowhere(ctx: Context, state: State, action: Action) -> bool:
    """Nothing is handed out."""
    return False


@dataclass
class Embedded:
    """One worker. `stop` is asked between steps; `watch` sees every state; `lease` is one that was looked at already.

    `elsewhere` says whether an action of an open wave is done by others, and sees to it that it is. `deadlines` is what
    this process has watched before.
    """

    ctx: Context
    holder: str
    lease_seconds: float = 15.0
    stop: Callable[[], bool] = lambda: False
    watch: Callable[[State, Action], None] = lambda state, action: None
    timed: Callable[[str, float], None] = lambda step, seconds: None
    lease: Lease | None = None
    elsewhere: Callable[[Context, State, Action], bool] = nowhere
    faulted: Callable[[str], None] = uncounted
    deadlines: Deadlines | None = None
    _faults: int = field(default=0, repr=False)
    _fault: str = field(default="", repr=False)
    _failing: Failing = field(init=False, repr=False)
    _unreachable_since: Reading | None = field(default=None, repr=False)
    _failures: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self._failing = Failing(self.ctx.clock, self.lease_seconds)

    def drive(self, name: str) -> State:
        """Until the rollout is done or waits for a person. Raises PortError past the deadline."""
        with structlog.contextvars.bound_contextvars(rollout=name):
            return self._drive(name)

    def _drive(self, name: str) -> State:
        lease = self.lease or of_rollout(self.ctx, name, self.holder, self.lease_seconds)
        deadlines = self.deadlines or Deadlines(self.ctx.clock)
        ctx = replace(self.ctx, fence=lambda: _fence(lease), beat=lambda: _beat(lease), tenure=Tenure())
        state: State | None = None
        try:
            while not self.stop():
                try:
                    if not lease.acquire():
                        self._anew()  # it is another worker's by now
                        if self._leaves(None):
                            break
                        self.ctx.clock.sleep(min(self.lease_seconds / 3, MOST_WAIT))
                        continue
                    fresh = self._read(name)
                    if fresh is None:
                        return self._vanished(name, state)
                    state = deadlines.watched(fresh)
                    if self._was_cut_off(ctx, state):
                        continue
                    if self._had_vanished(lease, state):
                        self.ctx.clock.sleep(self.lease_seconds - REQUEST_TIMEOUT)
                    if lease.taken_over:
                        ctx.tenure.doubt(self.ctx.clock)
                        self._take_over(lease, state)
                        continue
                    action = next_action(state, self.ctx.clock.now())
                    self.watch(state, action)
                    if self._leaves(action):
                        return state
                    self._do(ctx, state, action, lease)
                    self._anew()
                    self._faults = 0
                except Waiting as wait:
                    self.ctx.clock.sleep(min(max(wait.delay, 0.05), self.lease_seconds / 3))
                except RetryLater as later:
                    self._failed(later, state)
                    self._rest(max(later.delay, 0.05))
                except NetpolCanaryError as error:
                    self._failed(error, state)
                    self._rest(max(getattr(error, "retry_after", 0), 0.5))
                except Exception as error:
                    self._broken(error, name)
                    self._rest(1.0)
            return state if state is not None else read(self.ctx, name)
        finally:
            if not ctx.tenure.left(self.ctx.clock) or _over(state):
                with suppress(PortError):  # else the next worker is to know that not all writes were answered
                    lease.release()

    def _leaves(self, action: Action | None) -> bool:
        """Whether it ends here: before an action; None is where another worker has the Lease."""
        return action is not None and action.verb in RESTING

    def _read(self, name: str) -> State | None:
        try:
            return read(self.ctx, name)
        except NotFound:
            return None

    @staticmethod
    def _vanished(name: str, state: State | None) -> State:
        """Deleted, and gone once everything was rolled back: how it ended is what was seen last."""
        if state is not None and state.rollout.status.phase in TERMINAL:
            return state
        raise NotFound(f"the PolicyRollout {name} is gone")

    def _do(self, ctx: Context, state: State, action: Action, lease: Lease) -> None:
        if self.elsewhere(ctx, state, action):
            self.ctx.clock.sleep(min(LOOK + len(state.namespaces) / 250, MOST_WAIT, self.lease_seconds / 3))
            return
        if action.verb == "wait":
            assert action.until is not None
            left = (action.until - self.ctx.clock.now()).total_seconds()
            self.ctx.clock.sleep(min(max(left, 0.01), MOST_WAIT, self.lease_seconds / 3))
            return
        if not lease.safe(REQUEST_TIMEOUT):
            lease.renewed = None
            return
        began = time.monotonic()
        try:
            spec = state.rollout.spec
            named = {"source": spec.source, "revision": spec.revision, "wave": action.wave}
            with structlog.contextvars.bound_contextvars(**named, step=action.verb):
                STEPS[action.verb](ctx, state, action)
        finally:
            self.timed(action.verb, time.monotonic() - began)

    def _take_over(self, lease: Lease, state: State) -> None:
        """Whoever waited for an answer has given up before this one writes anything."""
        go = Action("wait", reason="TakenOver", message=f"{self.holder} goes on where another worker stopped")
        change(self.ctx, state, go, epoch=state.rollout.status.epoch + 1)
        self.ctx.clock.sleep(REQUEST_TIMEOUT)
        lease.taken_over = False

    @staticmethod
    def _had_vanished(lease: Lease, state: State) -> bool:
        """Whether somebody deleted the Lease of a rollout that was begun: its holder may write until it finds out."""
        made, lease.created = lease.created, False
        begun = made and state.rollout.status.phase not in ("Pending", *TERMINAL)
        lease.taken_over = lease.taken_over or begun
        return begun

    def _was_cut_off(self, ctx: Context, state: State) -> bool:
        """Begin the way back where the API server was out of reach too long while a wave was written and not promoted."""
        seconds = since(self.ctx.clock, self._unreachable_since)
        self._unreachable_since = None
        limit = state.rollout.spec.strategy.deadline_seconds
        if seconds is None or not _unpromoted(state) or seconds < limit:
            return False
        text = f"{OBSERVER}netpol-canary did not reach the API server for {seconds:.0f} s"
        wave = state.rollout.status.wave
        message = f"{text} after wave {wave} was written"
        STEPS["rollback"](ctx, state, Action("rollback", wave, "ObserverLost", message))
        self._anew()
        return True

    def _rest(self, seconds: float) -> None:
        """Ever longer while nothing succeeds, but never so long that the Lease is lost meanwhile."""
        most = min(MOST_REST, self.lease_seconds / 3)
        longer = min(FIRST_REST * 2 ** min(max(self._failures - SOON, 0), 10), most)
        self._failures += 1
        self.ctx.clock.sleep(max(seconds, longer if self._failures > SOON else 0.0))

    def _anew(self) -> None:
        """Whatever fails from now on has nothing to do with what failed before."""
        self._failing.over()
        self._failures = 0

    def _failed(self, error: NetpolCanaryError, state: State | None) -> None:
        """A bound on trying again: forward work gives way to a rollback, a rollback to Failed."""
        structlog.get_logger().debug("a step is tried again", error=str(error))
        late = isinstance(error, _Late)
        failing, hindered = self._failing.again(late)
        if isinstance(error, Unreachable) and self._unreachable_since is None:
            self._unreachable_since = reading(self.ctx.clock)
        limit = state.rollout.spec.strategy.deadline_seconds if state else 300
        cut_off = self._unreachable_since is not None and state is not None and _opened(state)
        if failing < limit * PATIENCE and (cut_off or late or hindered < limit):
            return
        self._failing.over()
        if state is None or state.rollout.status.phase in TERMINAL:
            raise error
        state = read(self.ctx, state.rollout.name)
        if state.rollout.status.phase in TERMINAL:  # the last write had landed after all
            return
        if state.rollout.status.phase == "RollingBack":
            text = f"not everything could be restored within {limit} s: {error}"[:4000]
            change(
                self.ctx, state, Action("finish", reason="Failed", message=text), phase="Failed", reason=text
            )
        else:
            text = f"no progress for {limit} s: {error}"
            STEPS["rollback"](
                self.ctx, state, Action("rollback", reason="StepDeadlineExceeded", message=text)
            )

    def _broken(self, error: Exception, name: str) -> None:
        """What nobody foresaw: tried again a few times, then the rollout stands still in sight.

        The way back never does: it is tried until its deadline, and is Failed then. Raises `error` where nothing can be
        said on the rollout itself.
        """
        text = self._fault = unforeseen(error, "rollout", self.faulted, self._fault)
        self._faults += 1
        state = self._read(name)
        if state is None or state.rollout.status.phase in TERMINAL:
            raise error
        status = state.rollout.status
        if status.phase == "RollingBack":
            self._failed(NetpolCanaryError(text), state)
        elif self._faults >= MOST_FAULTS:
            if status.phase == "Paused" and status.paused_for == "error":
                raise error  # it is said already
            self._faults = 0
            go = Action("pause", status.wave, "InternalError", text, paused_for="error")
            STEPS["pause"](self.ctx, state, go)


def _over(state: State | None) -> bool:
    return state is None or state.rollout.status.phase in TERMINAL


def _opened(state: State) -> bool:
    """Whether the current wave may have been written to and is not promoted yet."""
    status = state.rollout.status
    return status.phase == "Progressing" and status.wave_is_open


def _unpromoted(state: State) -> bool:
    """Whether the current wave was written and is not promoted yet."""
    items = state.in_wave(state.rollout.status.wave) if _opened(state) else []
    return any(item.status.phase == "Applied" for item in items)


class _Late(RetryLater):
    """This worker was too slow to go on without asking for its place again; nothing stands in the way of that."""


def _fence(lease: Lease) -> None:
    """A write that begins now lands, or times out, before another worker may go on."""
    if not lease.safe(REQUEST_TIMEOUT):
        raise _Late("the lease has to be renewed first", 0.05)


def _beat(lease: Lease) -> None:
    """A step that waits for long keeps its place, or learns that it has lost it."""
    if not lease.acquire():
        raise RetryLater("another worker has taken over", 1.0)


def phase_code(state: State) -> int:
    """The exit code that a rollout's end stands for."""
    codes = {"Succeeded": 0, "RolledBack": 1, "Superseded": 1, "Failed": 4, "Paused": 3}
    return codes.get(state.rollout.status.phase, 3)
