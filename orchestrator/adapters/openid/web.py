"""Exchanges with a provider: bounded in bytes and seconds, no redirects, no credentials but those given."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from orchestrator.adapters.http import bounded
from orchestrator.errors import IdentityError

MOST_BYTES = 1 << 20
T = TypeVar("T")


def prepared(session: Any, seconds: float, ca_file: str) -> Any:
    """A session of requests whose one answer ends in time and is small; an OAuth2Session is one, too."""
    from orchestrator.adapters.http.deadline import PatientAdapter

    for scheme in ("http://", "https://"):
        session.mount(scheme, PatientAdapter(time.monotonic() + seconds))
    session.trust_env = False  # neither ~/.netrc nor REQUESTS_CA_BUNDLE has a say here
    session.verify = ca_file or True
    session.headers["Accept-Encoding"] = "identity"
    session.hooks["response"] = [_read]
    return session


def document(url: str, seconds: float, ca_file: str) -> dict[str, Any]:
    """The JSON object at an address. Raises IdentityError."""
    import requests

    def work() -> dict[str, Any]:
        with prepared(requests.Session(), seconds, ca_file) as session:
            answer = session.get(url, timeout=seconds, allow_redirects=False, stream=True)
            if answer.status_code != 200:
                raise IdentityError(f"{url} answered {answer.status_code}")
            found = json.loads(answer.content)
        if not isinstance(found, dict):
            raise IdentityError(f"{url} gave no JSON object")
        return found

    return translated(url, work)


def translated(url: str, work: Callable[[], T]) -> T:
    """What `work` gives; what goes wrong on the way is an IdentityError that names the address."""
    import requests
    import urllib3

    try:
        return work()
    except IdentityError:
        raise
    except (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError):
        raise IdentityError(f"{url} gave no whole answer in time") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, RecursionError) as error:
        raise IdentityError(f"{url} gave no answer: {type(error).__name__}") from None
    except (ValueError, TypeError, AttributeError, KeyError):
        raise IdentityError(f"{url} gave no JSON") from None


def _read(answer: Any, *args: Any, **more: Any) -> Any:
    """Take the body, no further than it may be long, before anything else reads it."""
    if 300 <= answer.status_code < 400:
        answer.close()
        raise IdentityError(f"{answer.url} answered {answer.status_code}, a redirect, which is not followed")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        answer.close()
        raise IdentityError(f"{answer.url} answered compressed although that was not asked for")
    try:
        found = bounded.body(answer, MOST_BYTES)
    except bounded.TooLarge:
        answer.close()
        raise IdentityError(f"{answer.url} answered with more than {MOST_BYTES >> 20} MiB") from None
    answer._content, answer._content_consumed = found, True
    return answer
