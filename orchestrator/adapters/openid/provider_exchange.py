"""One exchange with a provider: small, in time, and by way of no proxy."""

from collections.abc import Mapping
from typing import Any

from orchestrator.adapters.http.client import Client
from orchestrator.errors import IdentityError

MOST_BYTES = 1 << 20


def exchange(
    url: str, seconds: float, ca_file: str, form: Mapping[str, str] | None = None, **secret: Any
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an address: a POST where there is a form, else a GET.

    `secret` is what `Client` sends or never shows. Raises IdentityError.
    """
    given = {"verify": ca_file or True, "query": True, "proxies": False, **secret}
    client = Client(url, IdentityError, seconds, MOST_BYTES, **given)
    answer = client.ask("GET" if form is None else "POST", form=form)
    found = client.json(answer)
    if not isinstance(found, dict):
        raise client.error(f"gave no JSON object, but HTTP {answer.status}")
    return answer.status, found
