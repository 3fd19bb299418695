"""One pod of a wave's workflow: works its step off until nothing is left of it, or the rollout decides otherwise."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from orchestrator.context import ANALYSIS, ROLLOUT, Context, read
from orchestrator.elapsed import Reading, reading, since
from orchestrator.errors import BadInput, Conflict, NetpolCanaryError, NotFound, Refused, RetryLater
from orchestrator.rollout.next import FORWARD, State, next_action
from orchestrator.rollout.resources.model import TERMINAL, PolicyRolloutStatus
from orchestrator.rollout.resources.resource import Rollout, WaveAnalysis, load
from orchestrator.standstill import Deadlines
from workflows.exit_codes import AGAIN, BAD, DONE, STOPPED
from workflows.shard_steps import PARTS, WATCHING

MOST_WAIT = 5.0  # seconds between two looks at whether the wave is still wanted
BESIDE = ("handle", "vouch", "declare")  # what the controller does meanwhile
GOING_ON = ("Progressing", "Paused")  # a later wave may wait for people already
PATIENCE = 60.0  # seconds of failures in a row, after which Argo begins another pod


@dataclass
class Worker:
    """`stop` is asked between two looks; after `patience` seconds of failures alone it gives up for Argo to begin anew.

    Everything that is written is fenced by the rollout as it stands.
    """

    ctx: Context
    rollout: str
    wave: int
    shard: int = 0
    stop: Callable[[], bool] = lambda: False
    patience: float = PATIENCE
    _state: State | None = field(default=None, repr=False)
    _failing_since: Reading | None = field(default=None, repr=False)
    _deadlines: Deadlines = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._deadlines = Deadlines(self.ctx.clock)

    def run(self, step: str) -> int:
        """The exit code, as exit_codes.py has it. Raises BadInput for a step, a rollout, a wave that there is not."""
        named = {"rollout": self.rollout, "wave": self.wave, "step": step, "shard": self.shard}
        with structlog.contextvars.bound_contextvars(**named):
            while not self.stop():
                code, wait = self.look(step)
                if code is not None:
                    return code
                self.ctx.clock.sleep(wait)
            return AGAIN

    def look(self, step: str) -> tuple[int | None, float]:
        """Do what is to be done now; the exit code where that is all, and seconds until the next look."""
        if step not in PARTS:
            raise BadInput(f"there is no step {step!r}", "STEP", f"take {', '.join(PARTS)}")
        try:
            self._state = self._deadlines.watched(self._read(step))
            over = self._over(self._state, step)
            again = None if over is not None else self._once(self._state, step)
            self._failing_since = None
            return (over or DONE, 0.0) if again is None else (None, self._left(again))
        except Refused as refused:
            structlog.get_logger().warning("this is not to be done", reason=str(refused))
            return STOPPED, 0.0
        except (BadInput, NotFound):
            raise
        except NetpolCanaryError as error:
            self._state = None
            return self._failed(error)

    def _once(self, state: State, step: str) -> datetime | None:
        ctx = replace(self.ctx, fence=self._wanted, beat=self._wanted)
        found = next_action(state, ctx.clock.now())
        return PARTS[step](ctx, state, replace(found, wave=self.wave), self.shard)

    def _read(self, step: str) -> State:
        """As it stands. Who only watches reads the namespaces once: they are written, and there may be a thousand."""
        last = self._state
        if last is None or step not in WATCHING:
            return read(self.ctx, self.rollout)
        rollout: Rollout = load(self.ctx.cluster.get(ROLLOUT, self.rollout, self.ctx.namespace))
        known = last.analyses.get(self.wave)
        if known is None:
            return read(self.ctx, self.rollout)
        analysis: WaveAnalysis = load(self.ctx.cluster.get(ANALYSIS, known.name, self.ctx.namespace))
        return replace(last, rollout=rollout, analyses={**last.analyses, self.wave: analysis})

    def _over(self, state: State, step: str) -> int | None:
        """The exit code where nothing of the wave is to be done any more; None where it goes on."""
        rollout = state.rollout
        if self.wave >= len(rollout.spec.waves):
            raise BadInput(f"{rollout.name} has the waves 0 to {len(rollout.spec.waves) - 1}", "--wave")
        code = self._code(state)
        if code is None:
            return None
        analysis = state.analyses.get(self.wave)
        decided = analysis is not None and analysis.status.phase not in ("Pending", "Running")
        status = rollout.status
        structlog.get_logger().info(
            "nothing is left to do", phase=status.phase, now=status.wave, reason=status.reason[:200]
        )
        return DONE if step == "analyze" and decided else code

    def _code(self, state: State) -> int | None:
        status = state.rollout.status
        if status.phase == "Succeeded" or (status.phase in GOING_ON and status.wave > self.wave):
            return DONE
        if status.phase == "RollingBack" or status.phase in TERMINAL:
            return BAD
        if not self._under_way(status):
            return STOPPED
        found = next_action(state, self.ctx.clock.now())
        if found.verb in FORWARD:
            return None
        return {"promote": DONE, "succeed": DONE, "rollback": BAD, **dict.fromkeys(BESIDE)}.get(
            found.verb, STOPPED
        )

    def _under_way(self, status: PolicyRolloutStatus) -> bool:
        return status.phase == "Progressing" and status.wave == self.wave and status.wave_is_open

    def _wanted(self) -> None:
        """The fence: what begins to be written now has been asked for in the very last moment."""
        rollout: Rollout = load(self.ctx.cluster.get(ROLLOUT, self.rollout, self.ctx.namespace))
        status = rollout.status
        if not self._under_way(status):
            raise RetryLater(f"the wave is not wanted any more: {status.phase}", 0.1)

    def _left(self, until: datetime) -> float:
        return min(max((until - self.ctx.clock.now()).total_seconds(), 0.0), MOST_WAIT)

    def _failed(self, error: NetpolCanaryError) -> tuple[int | None, float]:
        """Give up where nothing but failures came for too long; else wait a moment."""
        failing = since(self.ctx.clock, self._failing_since)
        if failing is None:
            failing, self._failing_since = 0.0, reading(self.ctx.clock)
        soon = isinstance(error, RetryLater | Conflict)
        log = structlog.get_logger()
        (log.debug if soon else log.warning)("it is tried again", error=str(error))
        if failing >= self.patience:
            return AGAIN, 0.0
        wait = getattr(error, "delay", 0.2) if soon else max(getattr(error, "retry_after", 0), 0.5)
        return None, min(max(wait, 0.05), MOST_WAIT)
