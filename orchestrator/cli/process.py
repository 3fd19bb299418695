"""This process as a worker: its name for Leases, its end by a signal, and whether anybody else works."""

import gc
import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from orchestrator.cli import logs
from orchestrator.context import Context
from orchestrator.elapsed import steady
from orchestrator.engine.lease import LEASE
from orchestrator.errors import Forbidden, NotFound
from orchestrator.ports import Clock

INTERRUPTED = 130  # exit code
COLLECTING = 50_000  # objects between two looks for cycles; Python's own 700 cost a fifth of the time


def holder() -> str:
    """Who this process is, for Leases."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second SIGINT ends the process at once.

    What lasts until then collects its cycles, which main.py leaves aside.
    """
    gc.set_threshold(COLLECTING)
    gc.enable()
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    previous = {s: signal.signal(s, handle) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """The same, in a command that logs errors alone."""
    logs.configure(level="error")
    with stopping() as stop:
        yield stop


def ticks(
    clock: Clock, seconds: float, stop: threading.Event | None = None, every: float = 1.0
) -> Iterator[None]:
    """Once every second or so, until so many are over or `stop` is set."""
    begun = steady(clock)
    while (steady(clock) - begun).total_seconds() < seconds and not (stop and stop.is_set()):
        yield
        clock.sleep(every)


def not_waited_for(name: str, seconds: float, stop: threading.Event) -> int:
    """The exit code once `ticks` are over, and what is said of a rollout that goes on."""
    if stop.is_set():
        return INTERRUPTED
    print(f"{name}: still running after {seconds:g} s")
    return 3


def worked_on(ctx: Context, *leases: str) -> bool:
    """Whether somebody holds one of these Leases; taken for granted where the caller may not read them."""
    held = []
    for lease in leases:
        try:
            held.append(ctx.cluster.get(LEASE, lease, ctx.namespace)["spec"].get("holderIdentity"))
        except NotFound:
            continue
        except Forbidden:
            return True
    return any(held)
