"""One bounded HTTP exchange for every provider: bytes, seconds, no redirects, no credentials in messages."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from orchestrator.adapters.http.bounded import TooLarge, as_it_is, body, retry_after
from orchestrator.errors import MetricError
from orchestrator.ports import Clock

MOST_BYTES = 16 * 1024 * 1024
ATTEMPTS = 3
AGAIN = (429, 503)
Basic = tuple[str, str]


class _Later(MetricError):
    """The server asks to come again after so many seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True)
class Transport:
    """`timeout` in seconds holds for an exchange with its repetitions; `verify` as in requests."""

    url: str
    clock: Clock
    timeout: float = 10.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: Basic | None = field(default=None, repr=False)
    verify: bool | str = True
    most_bytes: int = MOST_BYTES

    def exchange(self, path: str, form: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Status and parsed JSON of `url/path`; a POST where there is a form, else a GET.

        429 and 503 with a Retry-After that fits into the time are tried again. Raises MetricError for what is
        not JSON, too large, too late, a redirect, or no answer.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        deadline = time.monotonic() + self.timeout
        again = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=_asked,
            retry=retry_if_exception_type(_Later),
            sleep=self.clock.sleep,
            reraise=True,
        )
        found: tuple[int, Any] = again(self._once, path, form, deadline)
        return found

    def _once(self, path: str, form: Mapping[str, str] | None, deadline: float) -> tuple[int, Any]:
        import requests  # takes long to import, and most commands need no metrics
        import urllib3

        from orchestrator.adapters.http.deadline import session

        url = f"{self.url.rstrip('/')}/{path.lstrip('/')}"
        left = max(0.001, deadline - time.monotonic())
        try:
            with (
                session(deadline) as client,
                client.request(
                    "GET" if form is None else "POST",
                    url,
                    data=form,
                    # No compression: a small answer must not become a large one here.
                    headers={**self.headers, "Accept": "application/json", "Accept-Encoding": "identity"},
                    auth=self.auth or as_it_is,
                    timeout=(left, left),
                    verify=self.verify,
                    stream=True,
                    allow_redirects=False,
                ) as answer,
            ):
                self._refused(answer, deadline)
                return answer.status_code, _parsed(answer, self.most_bytes)
        except MetricError:
            raise
        except (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError):
            raise self._error(f"gave no whole answer within {self.timeout:g} s") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if time.monotonic() >= deadline:
                raise self._error(f"gave no whole answer within {self.timeout:g} s") from None
            raise self._error(f"gave no usable answer: {error}") from None

    def _refused(self, answer: Any, deadline: float) -> None:
        """Raises for the answers that are refused by their head alone."""
        code = answer.status_code
        if 300 <= code < 400:
            raise self._error(
                f"answered {code}, a redirect, which is not followed: give the address it leads to"
            )
        if code in (401, 407):
            raise self._error(f"answered {code}: check the credentials that secretRef names")
        after = retry_after(answer.headers.get("Retry-After", ""), self.clock.now())
        if code in AGAIN and after is not None:
            text = f"answered {code} and asks to come again in {after:g} s"
            if time.monotonic() + after < deadline:
                raise _Later(str(self._error(text)), after)
            raise self._error(f"{text}, which is later than the timeout of {self.timeout:g} s")

    def _error(self, text: str) -> MetricError:
        return MetricError(self.clean(f"{shown(self.url)} {text}"))

    def clean(self, text: str) -> str:
        """One line of at most 400 characters, without the credentials."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return " ".join(text.split())[:400]

    def _secrets(self) -> list[str]:
        found = [v for value in self.headers.values() for v in (value, value.split(" ", 1)[-1])]
        if self.auth:
            found += [self.auth[1], base64.b64encode(":".join(self.auth).encode()).decode()]
        return sorted((v for v in found if len(v) > 3), key=len, reverse=True)


def shown(url: str) -> str:
    """An address without what may be secret in it: user, query, fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def _asked(state: Any) -> float:
    error = state.outcome.exception()
    return error.after if isinstance(error, _Later) else 0.0


def _parsed(answer: Any, most: int) -> Any:
    """The JSON body, read no further than it may be long."""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ValueError(f"HTTP {answer.status_code}, compressed although that was not asked for")
    if (
        str(answer.headers.get("Content-Length", "")).isdigit()
        and int(answer.headers["Content-Length"]) > most
    ):
        raise TooLarge(f"its answer is larger than {most >> 20} MiB")
    found = body(answer, most)
    try:
        return json.loads(found)
    except (ValueError, RecursionError):
        raise ValueError(f"HTTP {answer.status_code}, not JSON") from None
