"""For how long this process has watched rollouts stand still, on a clock that nobody sets."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.elapsed import Reading, reading, since
from orchestrator.ports import Clock
from orchestrator.rollout.expiry import APART
from orchestrator.rollout.next import unclear_since
from orchestrator.rollout.state import State, Watched
from orchestrator.rollout.timing import planned_seconds, progressed_at

MOST_SEEN = 2000  # rollouts, beyond which everything is watched anew
TRIES = 3  # of comparing both clocks, where the process may have stood still between them


@dataclass
class Deadlines:
    """One per process; safe under threads.

    It knows nothing of what was before it began: what it has not watched itself is judged by the times in the statuses, or
    watched anew.
    """

    clock: Clock
    _began: tuple[datetime, Reading] = field(init=False, repr=False)
    _seen: dict[tuple[str, str], tuple[Hashable, Reading, float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._began = self.clock.now(), reading(self.clock)

    def watched(self, state: State) -> State:
        """The state with what this process has seen of it so far; to be called with every state that is read."""
        wave, uid = state.rollout.status.wave, state.rollout.uid
        mark = state.rollout.status.waves_started, wave, progressed_at(state, wave)
        ahead = planned_seconds(state, wave, self.clock.now())
        still = self._stood((uid, "still"), mark, ahead)
        undecided = self._stood((uid, "undecided"), unclear_since(state), 0.0)
        return replace(state, watched=Watched(still, undecided, self._steady()))

    def _stood(self, key: tuple[str, str], mark: Hashable, ahead: float) -> float:
        """The seconds for which a mark was seen, from `ahead` seconds after it was first."""
        with self._lock:
            known = self._seen.get(key)
            passed = since(self.clock, known[1]) if known is not None and known[0] == mark else None
            if known is None or passed is None:
                if len(self._seen) >= 2 * MOST_SEEN:
                    self._seen.clear()
                self._seen[key] = (mark, reading(self.clock), ahead)
                return -ahead
            return passed - known[2]

    def _steady(self) -> bool:
        """Whether the wall clock shows as much time since the beginning as the monotonic one."""
        wall, monotonic = self._began
        for _ in range(TRIES):
            passed = since(self.clock, monotonic)
            if passed is None:
                return False
            if abs((self.clock.now() - wall).total_seconds() - passed) <= APART.total_seconds():
                return True
        return False
