"""A token that is made anew before it ends, and once where it is refused."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from orchestrator.adapters.http.proof import Outgoing
from orchestrator.errors import IdentityError
from orchestrator.ports import Clock

EARLY = (
    300.0  # seconds before its end from which on another is made; a quarter of its life where that is shorter
)
LEAST, MOST = 30.0, 86_400.0  # seconds that a token is believed to last, whatever the clocks say
PAUSE = 5.0  # seconds for which a failure is the answer to everybody
AGAIN = 60.0  # seconds for which another one is made once at most because one was refused
MOST_CHARACTERS = 16_384
REFUSED = 401


class Token(NamedTuple):
    """A token, and for how many seconds from now it is taken."""

    text: str
    seconds: float


class RenewedToken:
    """Made by the first thread that needs it, while the others wait; `make` ends in bounded time and raises IdentityError.

    Its end is counted by a clock that nobody sets. Where a new one cannot be had, the old one is used until its end.
    """

    def __init__(self, make: Callable[[], Token], clock: Clock) -> None:
        self._make, self._clock, self._lock = make, clock, threading.Lock()
        self._token, self._due, self._end = "", 0.0, 0.0
        self._failed: tuple[float, IdentityError] | None = None
        self._refused: float | None = None
        self._lately: deque[str] = deque(maxlen=4)

    def token(self) -> str:
        """One that lasts. Raises IdentityError."""
        with self._lock:
            now = self._clock.monotonic()
            if self._token and now < self._due:
                return self._token
            try:
                self._renew(now)
            except IdentityError:
                if not self._token or now >= self._end:
                    raise
            return self._token

    def refused(self, token: str) -> bool:
        """Whether another one is worth trying: once a minute at most, for whoever refuses all of them."""
        with self._lock:
            if token != self._token:
                return True  # somebody else has had it made anew
            now = self._clock.monotonic()
            if self._refused is not None and now - self._refused < AGAIN:
                return False
            self._refused, self._token = now, ""
            return True

    @property
    def lately(self) -> tuple[str, ...]:
        """Those that were given out."""
        return tuple(self._lately)

    def _renew(self, now: float) -> None:
        if self._failed and now - self._failed[0] < PAUSE:
            raise self._failed[1]
        try:
            made = self._make()
            if not sendable(made.text):
                raise IdentityError("it gave something that is no token")
        except IdentityError as error:
            self._failed = (now, error)
            raise
        seconds = min(max(made.seconds, LEAST), MOST)
        self._token, self._failed = made.text, None
        self._due, self._end = now + seconds - min(EARLY, seconds / 4), now + seconds
        self._lately.append(made.text)


class Bearer:
    """Implements `Identity` with a token in the header Authorization."""

    def __init__(self, tokens: RenewedToken) -> None:
        self._tokens = tokens

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._tokens.token()}"}

    def renewed(self, status: int, used: Mapping[str, str]) -> bool:
        return status == REFUSED and self._tokens.refused(used["Authorization"].removeprefix("Bearer "))

    @property
    def secrets(self) -> tuple[str, ...]:
        return self._tokens.lately


def sendable(text: str) -> bool:
    """Whether a header can carry it as a token."""
    return 0 < len(text) <= MOST_CHARACTERS and text.isascii() and text.isprintable() and " " not in text
