"""Calls of vendors' libraries, which keep to time limits of their own, or to none."""

import logging
import re
import threading
from collections.abc import Callable
from typing import TypeVar

from orchestrator.errors import IdentityError

SECONDS = 10.0
MOST_CHARACTERS = 300
LOGGERS = ("azure", "botocore", "google", "msal")
# Whatever may be a token, or a part of one, that a server wrote back.
_SECRET = re.compile(r"(?=[\w+=-]*[0-9])[\w+=-]{20,}")
Found = TypeVar("Found")


def within(whose: str, work: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """What comes of it. Silence, and whatever the library raises, is an IdentityError of one line; the library logs nothing.

    What takes longer is left to itself: its thread holds up no end of the process.
    """
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    found: list[Found] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name=f"identity {whose}", daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    if not failed:
        raise IdentityError(f"{whose} gave no answer within {seconds:g} s")
    if isinstance(failed[0], IdentityError):
        raise failed[0]
    said = _SECRET.sub("***", " ".join(str(failed[0]).split()))[:MOST_CHARACTERS]
    raise IdentityError(f"{whose}: {type(failed[0]).__name__}: {said}")
