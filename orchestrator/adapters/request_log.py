"""What this process asks of others, told to whoever wants to know: the API server, providers of metrics, Git hosts.

Nothing here leaves out what is secret but the caller's own credentials: who listens does.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass
class Exchange:
    """One request, and how it ended: `outcome` is a status, or says that there was none."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: object = None
    outcome: str = "no answer"
    seconds: float = 0.0


class Listener(Protocol):
    """Who is told, in whatever thread something is asked."""

    def asked(self, exchange: Exchange) -> None:
        """Once the answer begins, or there is none."""

    def answered(self, what: str, body: Callable[[], bytes]) -> None:
        """What gives the body of an answer to `METHOD address`."""


_listeners: list[Listener] = []


def listen(listener: Listener | None) -> None:
    """From here on this one alone is told, or nobody."""
    _listeners[:] = [listener] if listener is not None else []


@contextmanager
def told(exchange: Exchange) -> Iterator[Exchange]:
    """Around a request; whoever asks sets the outcome where there is an answer."""
    begun = time.monotonic()
    try:
        yield exchange
    except Exception as error:
        exchange.outcome = str(getattr(error, "status", None) or exchange.outcome)
        raise
    finally:
        exchange.seconds = time.monotonic() - begun
        for listener in _listeners:
            listener.asked(exchange)


def answered(what: str, body: Callable[[], bytes]) -> None:
    """Once an answer was read."""
    for listener in _listeners:
        listener.answered(what, body)
