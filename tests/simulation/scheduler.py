"""One seeded scheduler that owns time: tasks are greenlets, and exactly one of them runs between two events."""

import heapq
from collections import deque
from concurrent.futures import Future
from random import Random

import greenlet

MOST_EVENTS = 2_000_000


class Killed(BaseException):
    """The process that this task belongs to is gone."""


class Scheduler:
    """Events in the order of their times; a tie is decided by the seed."""

    def __init__(self, seed):
        self.random, self.time, self.events = Random(seed), 0.0, 0
        self._queue, self._number, self.hub = [], 0, greenlet.getcurrent()
        self.tasks = {}

    def at(self, delay, action):
        """Call `action` so many seconds from now."""
        self._number += 1
        item = (self.time + max(delay, 0.0), self.random.random(), self._number, action)
        heapq.heappush(self._queue, item)

    def run(self, until, done=lambda: False):
        """Events until that time, or until `done`."""
        while self._queue and self._queue[0][0] <= until and not done():
            self.time, _, _, action = heapq.heappop(self._queue)
            self.events += 1
            assert self.events < MOST_EVENTS, "it never ends"
            action()
        if not done():
            self.time = max(self.time, until)

    def current(self):
        """The task that runs now."""
        return self.tasks[greenlet.getcurrent()]

    def start(self, process, body, ended=lambda error: None):
        """A task of a process; `ended` is told None, or what it raised."""
        return Task(self, process, body, ended)

    def sleep(self, seconds):
        """The task that runs now sleeps."""
        task = self.current()
        self.at(seconds, task.waker())
        task.wait()


class Task:
    """A greenlet of a process. It waits by a number of its own, so that no late waker wakes what it no longer waits for."""

    def __init__(self, scheduler, process, body, ended):
        self.scheduler, self.process, self._body, self._ended = scheduler, process, body, ended
        self._waits = 0
        self.checked = "", 0.0  # the rollout that its last call read, and when
        self.greenlet = greenlet.greenlet(self._run, scheduler.hub)
        scheduler.tasks[self.greenlet] = self
        process.tasks.append(self)
        scheduler.at(0, self.waker())

    def _run(self):
        error = None
        try:
            self.process.alive_or_killed()
            self._body()
        except Killed as killed:
            error = killed
        except Exception as raised:
            error = raised
        self.process.tasks.remove(self)
        del self.scheduler.tasks[self.greenlet]
        self._ended(error)

    def waker(self):
        """Wakes the wait that comes next, once; where the process stands still, when it goes on."""
        number = self._waits = self._waits + 1

        def wake():
            if number != self._waits or self.greenlet.dead:
                return
            later = self.process.frozen_until - self.scheduler.time
            if later > 0:
                self.scheduler.at(later, wake)
                return
            self.greenlet.switch()

        return wake

    def wait(self):
        """Give way until the waker is called."""
        self.process.alive_or_killed()
        self.scheduler.hub.switch()
        self.process.alive_or_killed()

    def kill(self):
        """From the hub: unwinds at once."""
        self._waits += 1
        if self.greenlet.dead:
            return
        if not self.greenlet:  # never began
            self.process.tasks.remove(self)
            del self.scheduler.tasks[self.greenlet]
            self._ended(Killed())
            return
        self.greenlet.throw(Killed)


class Signal:
    """Tasks wait for it; `set` wakes them all."""

    def __init__(self, scheduler):
        self._scheduler, self._wakers = scheduler, []

    def wait(self):
        task = self._scheduler.current()
        self._wakers.append(task.waker())
        task.wait()

    def set(self):
        wakers, self._wakers = self._wakers, []
        for wake in wakers:
            self._scheduler.at(0, wake)


class Promise(Future):
    """A Future whose result is waited for on the simulation's time."""

    def __init__(self, scheduler):
        super().__init__()
        self._signal = Signal(scheduler)
        self.add_done_callback(lambda _: self._signal.set())

    def _settled(self):
        while not self.done():
            self._signal.wait()

    def result(self, timeout=None):
        self._settled()
        return super().result(0)

    def exception(self, timeout=None):
        self._settled()
        return super().exception(0)


class Pool:
    """What a ThreadPoolExecutor does, with tasks of the process that made it."""

    def __init__(self, scheduler, most=None):
        self._scheduler, self._most = scheduler, most or 32
        self._process = scheduler.current().process
        self._running, self._waiting, self._given = 0, deque(), []

    def submit(self, work, *args, **kwargs):
        promise = Promise(self._scheduler)
        self._waiting.append((promise, work, args, kwargs))
        self._given.append(promise)
        self._next()
        return promise

    def _next(self):
        while self._waiting and self._running < self._most:
            promise, work, args, kwargs = self._waiting.popleft()
            self._running += 1
            self._begin(promise, work, args, kwargs)

    def _begin(self, promise, work, args, kwargs):
        found = []

        def ended(error):
            self._running -= 1
            if error is not None:
                promise.set_exception(error)
            else:
                promise.set_result(found[0])
            if not isinstance(error, Killed):
                self._next()

        self._scheduler.start(self._process, lambda: found.append(work(*args, **kwargs)), ended)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for promise in self._given:
            promise._settled()


class Lock:
    """A lock among tasks."""

    def __init__(self, scheduler):
        self._signal, self._held = Signal(scheduler), False

    def __enter__(self):
        while self._held:
            self._signal.wait()
        self._held = True
        return self

    def __exit__(self, *_):
        self._held = False
        self._signal.set()


class Condition(Lock):
    """What the courier uses of a threading.Condition; never held over a wait of any other kind."""

    def __init__(self, scheduler):
        super().__init__(scheduler)
        self._scheduler, self._changed = scheduler, Signal(scheduler)

    def notify_all(self):
        self._changed.set()

    def wait_for(self, true, seconds):
        """Looks ten times a second, which is enough for a test."""
        end = self._scheduler.time + seconds
        while not true() and self._scheduler.time < end:
            self.__exit__()
            self._scheduler.sleep(0.1)
            self.__enter__()
        return true()
