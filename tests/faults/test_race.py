"""Two workers on one rollout, interleaved call by call by a seed: every rule holds each time."""

import random
import threading

import pytest
from patience import ENOUGH
from stage import Stage, check, work

from orchestrator.engine.worker import REQUEST_TIMEOUT
from orchestrator.errors import Unreachable
from orchestrator.rollout.resources import model as m

SEEDS = 40
LOOKS = 10
SLICE = 1.0
MOST_TURNS = 20_000


class Turns:
    """Lets one of several threads go on at a time, chosen by a seed."""

    def __init__(self, seed, workers):
        self._random = random.Random(seed)
        self._ready = threading.Condition()
        self._alive, self._waiting, self._turn, self.taken = set(range(workers)), set(), None, 0

    def wait(self, worker):
        """Until it is this worker's turn."""
        with self._ready:
            if self._turn == worker:
                self._turn = None
            self._waiting.add(worker)
            self._choose()
            while self._turn != worker:
                assert self._ready.wait(ENOUGH), "nobody moves"
            self._waiting.discard(worker)

    def leave(self, worker):
        with self._ready:
            self._alive.discard(worker)
            self._waiting.discard(worker)
            if self._turn == worker:
                self._turn = None
            self._choose()

    def _choose(self):
        if self._turn is None and self._waiting == self._alive and self._alive:
            self.taken += 1
            assert self.taken < MOST_TURNS, "it never ends"
            self._turn = self._random.choice(sorted(self._alive))
            self._ready.notify_all()


class Slow:
    """A cluster whose calls wait for their turn; one that waits too long times out without an effect."""

    def __init__(self, stage, turns, worker):
        self._stage, self._turns, self._worker = stage, turns, worker

    def __getattr__(self, name):
        real = getattr(self._stage.cluster, name)

        def call(*args, **kwargs):
            sent = self._stage.clock.now()
            self._turns.wait(self._worker)
            if (self._stage.clock.now() - sent).total_seconds() >= REQUEST_TIMEOUT:
                raise Unreachable("timed out")
            return real(*args, **kwargs)

        return call


class Waiting:
    """A clock on which each second of a sleep waits for a turn."""

    def __init__(self, stage, turns, worker):
        self._stage, self._turns, self._worker = stage, turns, worker

    def now(self):
        return self._stage.clock.now()

    def monotonic(self):
        return self._stage.clock.monotonic()

    def sleep(self, seconds):
        while seconds > 0:
            self._turns.wait(self._worker)
            self._stage.clock.sleep(min(seconds, SLICE))
            seconds -= SLICE


@pytest.mark.parametrize("good", [True, False])
def test_two_workers_end_as_one_does(good):
    for seed in range(SEEDS):
        stage = Stage(good, deadline_seconds=3600)
        _both(seed, stage, stage.standing())


def test_two_workers_that_look_at_a_gate_end_as_one_does():
    for seed in range(LOOKS):
        stage = Stage(deadline_seconds=3600, gates=[m.Gate(wave=1)])
        before = stage.standing()
        assert work(stage.context(), "first").rollout.status.phase == "Paused"
        stage.prober.turn_bad()
        stage.clock.sleep(90)
        _both(seed, stage, before)


def _both(seed, stage, before, clocks=Waiting):
    turns, ends = Turns(seed, 2), {}

    def body(worker):
        clock = clocks(stage, turns, worker)
        ctx = stage.context(Slow(stage, turns, worker), clock=clock)
        try:
            ends[worker] = work(ctx, f"worker-{worker}", tries=200)
        except Exception as error:
            ends[worker] = error
        finally:
            turns.leave(worker)

    threads = [threading.Thread(target=body, args=(n,), daemon=True) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ENOUGH)
    states = [end for end in ends.values() if not isinstance(end, Exception)]
    assert states, (seed, ends)
    check(stage, before, max(states, key=lambda s: s.rollout.status.phase != "Progressing"))
