"""This process as a worker: its name for Leases, its end by a signal, and whether anybody else works."""

from __future__ import annotations

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
from orchestrator.engine.lease import LEASE
from orchestrator.errors import Forbidden, NotFound

INTERRUPTED = 130  # exit code


def holder() -> str:
    """Who this process is, for Leases."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second SIGINT ends the process at once."""
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
