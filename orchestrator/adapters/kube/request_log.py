"""Tells each request to the API server: what was asked, of whom, and how it ended; no headers, no bodies, no credentials."""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_CONTINUED = re.compile(r"(?<=[?&]continue=)[^&]+")  # a token that means nothing to people


def tell_requests(api: Any, tell: Callable[[str], None]) -> None:
    """From here on `tell` is given a line for each request of an ApiClient, once its answer begins."""
    ask = api.rest_client.request

    def request(method: str, url: str, *args: Any, **named: Any) -> Any:
        begun, outcome = time.monotonic(), "no answer"
        try:
            answer = ask(method, url, *args, **named)
            outcome = str(answer.status)
            return answer
        except Exception as error:
            outcome = str(getattr(error, "status", None) or outcome)
            raise
        finally:
            passed = (time.monotonic() - begun) * 1000
            tell(f"{method.upper()} {_address(url)}: {outcome} in {passed:.0f} ms")

    api.rest_client.request = request


def _address(url: str) -> str:
    """Without a user and a password, which a kubeconfig's server may have."""
    parts = urlsplit(url)
    whole = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return _CONTINUED.sub("…", whole)
