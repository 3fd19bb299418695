"""One conversation with a Git host: some questions and changes that end together; the token goes to that host alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.adapters.http.client import Answer, Client, Query
from orchestrator.adapters.http.deadline import Deadline
from orchestrator.adapters.http.retry_after import bounded, number, retry_after
from orchestrator.errors import DeliveryError
from orchestrator.ports import Clock

MOST_PAGES, PER_PAGE = 5, 100
MISSING = (404, 410)


@dataclass(frozen=True)
class Said:
    """Status and parsed body; None where there was none."""

    status: int
    body: Any


@dataclass
class Conversation:
    """Ends as many seconds after its first request as `client` has, however many there are. Raises DeliveryError."""

    client: Client
    clock: Clock
    _until: Deadline | None = field(default=None, repr=False)

    def get(self, path: str, query: Query | None = None, missing: bool = False) -> Any:
        """The parsed body; None for 404 where it may be missing."""
        found = self._asked("GET", path, query, None, MISSING if missing else ())
        return None if found.status in MISSING else found.body

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None, taken: tuple[int, ...] = ()
    ) -> Said:
        """A change; a status in `taken` is an answer, too, not an error."""
        return self._asked(method, path, None, body, taken)

    def pages(
        self, path: str, query: Query | None = None, until_empty: bool = False, most: int = MOST_PAGES
    ) -> Iterator[Any]:
        """The items of a list, as far as so many pages of at most a hundred go."""
        for page in range(1, most + 1):
            found = self.get(path, {**(query or {}), "per_page": PER_PAGE, "limit": PER_PAGE, "page": page})
            if not isinstance(found, list):
                raise self.client.error("answered with something that is no list")
            yield from (item for item in found if isinstance(item, dict))
            if len(found) < (1 if until_empty else PER_PAGE):
                return

    def _asked(self, method: str, path: str, query: Query | None, body: Any, taken: tuple[int, ...]) -> Said:
        self._until = self._until or Deadline(self.client.seconds)
        answer = self.client.ask(method, path, query, body=body, deadline=self._until)
        if answer.status >= 400 and answer.status not in taken:
            raise self._error(method, path, answer)
        return Said(answer.status, self.client.json(answer) if answer.body.strip() else None)

    def _error(self, method: str, path: str, answer: Answer) -> DeliveryError:
        """With what the host says of it: `message`, in all of them."""
        try:
            found = self.client.json(answer)
        except DeliveryError:
            found = None
        message = found.get("message", "") if isinstance(found, dict) else ""
        said = self.client.clean(message if isinstance(message, str) else json.dumps(message))
        text = str(self.client.error(f"answered {answer.status} to {method}: {said}", path))
        return DeliveryError(text, _asked_for(answer, said, self.clock.now()), answer.status)


def _asked_for(answer: Answer, said: str, now: datetime) -> float:
    """How long to leave a host alone, in seconds: Retry-After, or when its limit is counted anew; else 0."""
    if answer.headers.get("Retry-After", "").strip():
        return retry_after(answer.headers, now) or 0.0
    spent = any(answer.headers.get(n, "") == "0" for n in ("X-RateLimit-Remaining", "RateLimit-Remaining"))
    resets = (number(answer.headers.get(n, "")) for n in ("X-RateLimit-Reset", "RateLimit-Reset"))
    reset = next((r for r in resets if r), None)
    if spent and reset:
        return bounded(reset - now.timestamp())
    return 60.0 if answer.status == 429 or "rate limit" in said.lower() else 0.0
