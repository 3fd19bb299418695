"""A deadline for a whole HTTP answer: however a server drips, no read outlasts what is left."""

from __future__ import annotations

import http.client
import io
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter


class PatientAdapter(HTTPAdapter):
    """Sends requests whose answers, headers included, end at `deadline`, a value of time.monotonic().

    A timeout of requests starts anew with every byte that comes.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type(
            "PatientConnection", (pool.ConnectionCls,), {"response_class": _response(self._deadline)}
        )
        return pool


def session(deadline: float) -> requests.Session:
    """A session for one request."""
    found = requests.Session()
    for scheme in ("http://", "https://"):
        found.mount(scheme, PatientAdapter(deadline))
    return found


def _response(deadline: float) -> type[http.client.HTTPResponse]:
    class PatientResponse(http.client.HTTPResponse):
        def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(_Reading(sock, deadline), *args, **kwargs)  # type: ignore[arg-type]

    return PatientResponse


class _Reading:
    """What http.client wants of a socket that it reads an answer from."""

    def __init__(self, sock: Any, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, *args: Any, **kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_Patient(self._sock, self._deadline))


class _Patient(io.RawIOBase):
    """Reads from a socket, each time with no more patience than is left."""

    def __init__(self, sock: Any, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is closed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        found: int | None = self._raw.readinto(buffer)
        return found

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
