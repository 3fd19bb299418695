"""Where netpol-canary's own identity may be sent: what the operator lists, and nowhere else.

A source names an address and a kind of identity. Without this list whoever writes sources could have the controller's token
sent to a server of theirs.
"""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

# Only what every reader of addresses takes for the same: no user, no escapes, no query, no empty or dotted step of a path.
_NAME = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
_HOST = rf"(https://({_NAME}|\[[0-9a-f:.]+\])|http://(localhost|127\.0\.0\.1|\[::1\]))"
_FORM = rf"{_HOST}(:[1-9][0-9]{{0,4}})?(/[A-Za-z0-9_][A-Za-z0-9._~:@-]*)*/?"
_ADDRESS = re.compile(_FORM)
MOST_CHARACTERS = 500
_DEFAULT = {"https": 443, "http": 80}


def _listed(address: str) -> str:
    if len(address) > MOST_CHARACTERS or not _ADDRESS.fullmatch(address):
        raise ValueError(
            f"{address[:80]!r} is no address such as https://HOST, https://HOST:PORT or https://HOST/PATH"
        )
    return address


_SCHEMA = {"type": "string", "maxLength": MOST_CHARACTERS, "pattern": f"^{_FORM}$"}
Address = Annotated[str, AfterValidator(_listed), WithJsonSchema(_SCHEMA)]
Addresses = Annotated[tuple[Address, ...], Field(max_length=200)]
_LISTED = "as https://HOST, https://HOST:PORT or https://HOST/PATH, and what is below. Empty: nowhere."


class TokenFile(BaseModel):
    """A bearer token that something else keeps fresh in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    addresses: Addresses = ()


class Grants(BaseModel):
    """The section `identity`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aws: Addresses = Field(
        (),
        description=f"Where requests may be signed by netpol-canary's own AWS identity: addresses {_LISTED}",
    )
    google: Addresses = Field(
        (), description=f"Where tokens of netpol-canary's own Google identity may go: addresses {_LISTED}"
    )
    azure: Addresses = Field(
        (), description=f"Where tokens of netpol-canary's own Azure identity may go: addresses {_LISTED}"
    )
    token_files: Annotated[dict[str, TokenFile], Field(max_length=50)] = Field(
        {},
        description="Bearer tokens in files, by the name that sources give as identity.name: "
        "{NAME: {file: PATH, addresses: [ADDRESS]}}. A file is read anew for each request.",
    )


def covered(url: str, granted: Iterable[str]) -> bool:
    """Whether an address is one of these, or below one."""
    wanted = _parts(url)
    if wanted is None:
        return False
    origin, steps = wanted
    for one in map(_parts, granted):
        if one is not None and one[0] == origin and steps[: len(one[1])] == one[1]:
            return True
    return False


def _parts(address: str) -> tuple[tuple[str, str, int], list[str]] | None:
    """Scheme, host and port, and the steps of the path; None for what is read in more than one way."""
    if not _ADDRESS.fullmatch(address):
        return None
    scheme, _, rest = address.partition("://")
    place, _, path = rest.partition("/")
    host, port = (place, "") if place.endswith("]") or ":" not in place else place.rsplit(":", 1)
    return (scheme, host, int(port or _DEFAULT[scheme])), [s for s in path.split("/") if s]
