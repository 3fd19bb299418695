"""Bounded JSON over HTTPS with one Git host: seconds, bytes, redirects; the token goes to that host alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from orchestrator.adapters.http import bounded
from orchestrator.errors import BadInput, DeliveryError
from orchestrator.ports import Clock

SECONDS = 20.0
MOST_BYTES = 8 * 1024 * 1024
MOST_REDIRECTS = 3
MOST_PAGES, PER_PAGE = 5, 100
MISSING = (404, 410)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Query = Mapping[str, str | int]


@dataclass(frozen=True)
class Answer:
    """Status and parsed body; None where there was none."""

    status: int
    body: Any


@dataclass
class Exchange:
    """One conversation that ends `seconds` after its first request, however many there are.

    Raises DeliveryError for what is not JSON, too large, too late, a redirect elsewhere, or an error status.
    """

    url: str
    clock: Clock
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    verify: bool | str = True
    seconds: float = SECONDS
    most_bytes: int = MOST_BYTES
    _deadline: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise BadInput(
                f"{self.url} is not an https address", "feedback.apiUrl", "the token must not be read"
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            raise BadInput("an address must not hold credentials or a query", "feedback.apiUrl")

    def get(self, path: str, query: Query | None = None, missing: bool = False) -> Any:
        """The parsed body; None for 404 where it may be missing."""
        found = self._asked("GET", path, query, None, MISSING if missing else ())
        return None if found.status in MISSING else found.body

    def send(self, method: str, path: str, body: Mapping[str, Any], taken: tuple[int, ...] = ()) -> Answer:
        """A change; a status in `taken` is an answer, too, not an error."""
        return self._asked(method, path, None, body, taken)

    def pages(self, path: str, query: Query | None = None, until_empty: bool = False) -> Iterator[Any]:
        """The items of a list, as far as five pages of at most a hundred go."""
        for number in range(1, MOST_PAGES + 1):
            found = self.get(path, {**(query or {}), "per_page": PER_PAGE, "limit": PER_PAGE, "page": number})
            if not isinstance(found, list):
                raise DeliveryError(f"{self._name} answered with something that is no list")
            yield from (item for item in found if isinstance(item, dict))
            if len(found) < (1 if until_empty else PER_PAGE):
                return

    @property
    def _name(self) -> str:
        return urlsplit(self.url).netloc

    def _asked(
        self, method: str, path: str, query: Query | None, body: Any, taken: tuple[int, ...]
    ) -> Answer:
        if self._deadline is None:
            self._deadline = time.monotonic() + self.seconds
        url = f"{self.url.rstrip('/')}/{path.lstrip('/')}"
        for _ in range(MOST_REDIRECTS + 1):
            found, onward = self._once(method, url, query, body, taken)
            if found is not None:
                return found
            url, query = self._same_host(url, onward, method), None
        raise DeliveryError(f"{self._name} redirects without end")

    def _same_host(self, url: str, onward: str, method: str) -> str:
        """Where a redirect leads. A repository that was renamed stays on its host; a token must not leave it."""
        target = urljoin(url, onward)
        old, new = urlsplit(self.url), urlsplit(target)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise DeliveryError(f"{self._name} redirects to {new.netloc}, which is not followed")
        return target

    def _once(
        self, method: str, url: str, query: Query | None, body: Any, taken: tuple[int, ...]
    ) -> tuple[Answer | None, str]:
        """An answer, or where to ask instead."""
        import requests  # takes long to import, and most commands tell nobody
        import urllib3

        from orchestrator.adapters.http.deadline import session

        assert self._deadline is not None
        left = max(0.001, self._deadline - time.monotonic())
        try:
            with (
                session(self._deadline) as client,
                client.request(
                    method,
                    url,
                    params=query,
                    json=body,
                    headers={"Accept": "application/json", **self.headers, "Accept-Encoding": "identity"},
                    auth=bounded.as_it_is,
                    timeout=(left, left),
                    verify=self.verify,
                    stream=True,
                    allow_redirects=False,
                ) as answer,
            ):
                code = answer.status_code
                if code in (307, 308) or (code in (301, 302) and method == "GET"):
                    return None, answer.headers.get("Location", "")
                if 300 <= code < 400:
                    raise DeliveryError(f"{self._name} answered {code}, a redirect")
                found = self._read(answer)
                if code >= 400 and code not in taken:
                    raise self._error(method, url, answer, found)
                return Answer(code, _parsed(found, self._name) if found.strip() else None), ""
        except DeliveryError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if time.monotonic() >= self._deadline or isinstance(error, requests.Timeout):
                raise DeliveryError(f"{self._name} gave no whole answer within {self.seconds:g} s") from None
            raise DeliveryError(f"{self._name} cannot be asked: {self._clean(str(error))}") from None

    def _read(self, answer: Any) -> bytes:
        """The body, read no further than it may be long."""
        try:
            return bounded.body(answer, self.most_bytes)
        except bounded.TooLarge:
            text = f"{self._name} answers with more than {self.most_bytes >> 20} MiB"
            raise DeliveryError(text) from None

    def _error(self, method: str, url: str, answer: Any, body: bytes) -> DeliveryError:
        said = self._clean(_message(body))
        text = f"{self._name} answered {answer.status_code} to {method} {urlsplit(url).path}: {said}"
        return DeliveryError(text[:600], _asked_for(answer, said, self.clock.now()))

    def _clean(self, text: str) -> str:
        """One line without the token."""
        hidden = text.replace(self.token, "***") if len(self.token) > 3 else text
        return " ".join(hidden.split())[:300]


def _parsed(body: bytes, name: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise DeliveryError(f"{name} answered with something that is not JSON") from None


def _message(body: bytes) -> str:
    """What a host says of an error: `message`, in all of them."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    said = found.get("message", "") if isinstance(found, dict) else ""
    return said if isinstance(said, str) else json.dumps(said)


def _asked_for(answer: Any, said: str, now: datetime) -> float:
    """How long to leave a host alone, in seconds: Retry-After, or when its limit is counted anew; else 0."""
    text = answer.headers.get("Retry-After", "").strip()
    if text:
        return bounded.retry_after(text, now) or 0.0
    spent = any(answer.headers.get(n, "") == "0" for n in ("X-RateLimit-Remaining", "RateLimit-Remaining"))
    reset = next(
        (v for n in ("X-RateLimit-Reset", "RateLimit-Reset") if (v := answer.headers.get(n, "")).isdigit()),
        "",
    )
    if spent and reset:
        return max(0.0, float(reset[:12]) - now.timestamp())
    return 60.0 if answer.status_code == 429 or "rate limit" in said.lower() else 0.0
