"""Several workers on one stage in threads of their own, interleaved call by call by a seed."""

import random
import threading

from faulty_port import FaultyPort, just_before
from patience import ENOUGH
from stage import check, work

from orchestrator.engine.worker import REQUEST_TIMEOUT
from orchestrator.errors import Unreachable

SLICE = 1.0
MOST_TURNS = 20_000


class Turns:
    """Lets one of so many workers go on at a time."""

    def __init__(self, stage, seed, workers):
        self.stage, self._random, self._ready = stage, random.Random(seed), threading.Condition()
        self._alive, self._waiting, self._turn, self._taken = set(range(workers)), set(), None, 0

    def cluster(self, worker, *faults):
        """The stage's as a worker has it: its calls wait for their turn, and after too long without an effect time out."""

        def wait(call):
            sent = self.stage.clock.now()
            self.wait(worker)
            if (self.stage.clock.now() - sent).total_seconds() >= REQUEST_TIMEOUT:
                raise Unreachable("timed out")

        return FaultyPort(self.stage.cluster, just_before(wait), *faults)

    def context(self, worker, clocks=None):
        return self.stage.context(self.cluster(worker), clock=(clocks or Waiting)(self, worker))

    def play(self, *bodies):
        """What came of each worker: what its body answered with or, where it raised one, its error."""
        ends = {}

        def run(worker, body):
            try:
                ends[worker] = body()
            except Exception as error:
                ends[worker] = error
            finally:
                self._leave(worker)

        threads = [threading.Thread(target=run, args=given, daemon=True) for given in enumerate(bodies)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(ENOUGH)
        return ends

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

    def _leave(self, worker):
        with self._ready:
            self._alive.discard(worker)
            self._waiting.discard(worker)
            if self._turn == worker:
                self._turn = None
            self._choose()

    def _choose(self):
        if self._turn is None and self._waiting == self._alive and self._alive:
            self._taken += 1
            assert self._taken < MOST_TURNS, "it never ends"
            self._turn = self._random.choice(sorted(self._alive))
            self._ready.notify_all()


class Waiting:
    """The stage's clock, on which each second of a worker's sleep waits for a turn."""

    def __init__(self, turns, worker):
        self._turns, self._worker, self._clock = turns, worker, turns.stage.clock

    def now(self):
        return self._clock.now()

    def monotonic(self):
        return self._clock.monotonic()

    def sleep(self, seconds):
        while seconds > 0:
            self._turns.wait(self._worker)
            self._clock.sleep(min(seconds, SLICE))
            seconds -= SLICE


def two_workers_end_as_one(seed, stage, before, clocks=Waiting):
    """Two who work on the same rollout bring it to where it ends by the probes."""
    turns = Turns(stage, seed, 2)
    ends = turns.play(*(lambda n=n: work(turns.context(n, clocks), f"worker-{n}", tries=200) for n in (0, 1)))
    states = [end for end in ends.values() if not isinstance(end, Exception)]
    assert states, (seed, ends)
    check(stage, before, max(states, key=lambda s: s.rollout.status.phase != "Progressing"))
