"""The last resort round one piece of work: whatever it raises is logged and counted, and stops nothing beside it."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from orchestrator.errors import NetpolCanaryError, Unreachable

MOST_SAID = 300


def uncounted(part: str) -> None:
    """Where nobody counts."""


def said(error: BaseException) -> str:
    """An error that nobody foresaw, in one line: what it is, and where in the program it was raised."""
    text = " ".join(str(error).split())[:MOST_SAID]
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {text}{at}; this is a fault of netpol-canary, its log has the traceback"


def unforeseen(error: Exception, part: str, count: Callable[[str], None], known: str = "") -> str:
    """Log, with the traceback where it is not the `known` one again, and count; gives what is to be said about it."""
    text = said(error)
    trace = {} if text == known else {"exc_info": error}
    structlog.get_logger().error("a fault of netpol-canary", part=part, error=text, **trace)
    count(part)
    return text


@contextmanager
def boundary(part: str, count: Callable[[str], None]) -> Iterator[None]:
    """Nothing gets out but that the API server is out of reach, which is true of everything else as well."""
    try:
        yield
    except Unreachable:
        raise
    except NetpolCanaryError as error:
        structlog.get_logger().warning("this came to nothing", part=part, error=str(error))
    except Exception as error:
        unforeseen(error, part, count)
