"""A process of the simulation: its tasks, its own clocks, and how it dies."""

from datetime import UTC, datetime, timedelta

from simulation.scheduler import Killed

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
REQUEST_SECONDS = 5.0  # after which a client gives up on a call


class Process:
    """`kind` is what it is (engine, guard, runner, pod, person), `wrong` how far its wall clock is off, in seconds."""

    def __init__(self, scheduler, kind, name):
        self.scheduler, self.kind, self.name = scheduler, kind, name
        self.tasks, self.alive, self.stopping = [], True, False
        self.frozen_until, self.slow_until, self.wrong, self.calls = 0.0, 0.0, 0.0, 0
        self.dies_at, self.dies_how = 0, ""
        self.clock = Clock(self)

    def alive_or_killed(self):
        """Raises Killed where it is gone: nothing of it does anything any more."""
        if not self.alive:
            raise Killed

    def start(self, body, ended=lambda error: None):
        return self.scheduler.start(self, body, ended)

    def kill(self):
        """From the scheduler, between two events: every task unwinds, and no call of theirs gets out any more."""
        self.alive = False
        for task in list(self.tasks):
            task.kill()


class Clock:
    """Implements `Clock` for one process: the wall clock may be wrong and may jump, the monotonic one never."""

    def __init__(self, process):
        self._process = process

    def now(self):
        return START + timedelta(seconds=self._process.scheduler.time + self._process.wrong)

    def monotonic(self):
        return self._process.scheduler.time + 1000.0

    def sleep(self, seconds):
        self._process.alive_or_killed()
        self._process.scheduler.sleep(seconds)
