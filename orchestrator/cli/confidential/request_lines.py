"""`-v`: requests on standard error, by kubectl's levels: 6 each of them, 7 with headers, 8 with bodies; no credentials."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.adapters import request_log
from orchestrator.adapters.request_log import Exchange
from orchestrator.cli.confidential.credentials import credential_key, masked
from orchestrator.errors import BadInput

REQUESTS, HEADERS, BODIES = 6, 7, 8
MOST = {8: 1024, 9: 10240}  # characters of a body, as kubectl cuts it; beyond 9 there is no end
LEVEL = re.compile(r"=?(\d{1,2})", re.ASCII)
MASK = "<masked>"
SHOWN = frozenset(
    ("accept", "accept-encoding", "content-length", "content-type", "if-none-match", "user-agent")
)
# Tokens that say by themselves what they are: JSON Web Tokens, GitHub's and GitLab's.
_TOKEN = re.compile(r"(?<![\w-])(?:eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?:gh[a-z]_|github_pat_|glpat-)[\w-]{10,})")


def level(text: str | int) -> int:
    """As kubectl's -v; a number where none was given. Raises BadInput."""
    found = LEVEL.fullmatch(str(text))
    if not found:
        hint = "take 6 for each request, 7 for headers, too, 8 for bodies"
        raise BadInput(f"{text or 'nothing'} is no level", "-v", hint)
    return int(found[1])


def leveled(args: list[str]) -> list[str]:
    """A `-v` without a level is one for each request."""
    end = args.index("--") if "--" in args else len(args)
    found: list[str] = []
    for number, here in enumerate(args[:end], 1):
        bare = here in ("-v", "--verbose") and not LEVEL.fullmatch("".join(args[number : number + 1]))
        found.append(f"--verbose={REQUESTS}" if bare else here)
    return [*found, *args[end:]]


def begin(wanted: int) -> None:
    """From here on requests are said, where this level has any."""
    request_log.listen(RequestLines(wanted) if wanted >= REQUESTS else None)


class RequestLines:
    """Implements `Listener`."""

    def __init__(self, wanted: int) -> None:
        from orchestrator.cli.printing import note  # most commands have no need of it

        self._level, self._note = wanted, note

    def asked(self, exchange: Exchange) -> None:
        self._note(
            f"{exchange.method} {address(exchange.url)}: {exchange.outcome} in {exchange.seconds * 1000:.0f} ms"
        )
        if self._level >= HEADERS:
            for name, value in exchange.headers.items():
                self._note(f"> {name}: {value if name.lower() in SHOWN else MASK}")
        if self._level >= BODIES and exchange.sent is not None:
            self._note(f"> {self._cut(content(exchange.sent))}")

    def answered(self, what: str, body: Callable[[], bytes]) -> None:
        if self._level >= BODIES:
            method, _, url = what.partition(" ")
            self._note(f"< {method} {address(url)}: {self._cut(content(body()))}")

    def _cut(self, text: str) -> str:
        most = MOST.get(self._level, len(text))
        return text if len(text) <= most else f"{text[:most]} … {len(text) - most} more characters"


def address(url: str) -> str:
    """Without a user and a password, and without what a query says in confidence."""
    parts = urlsplit(url)
    query = "&".join(_pair(pair) for pair in parts.query.split("&"))
    return _TOKEN.sub(MASK, parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl())


def _pair(pair: str) -> str:
    name, _, value = pair.partition("=")
    if value and credential_key(unquote(name)):
        return f"{name}={MASK}"
    return f"{name}=…" if name == "continue" else pair  # a token that means nothing to people


def content(body: object) -> str:
    """A body as JSON without its credentials; of any other only how long it is."""
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    try:
        return json.dumps(without(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"{len(text)} bytes that are no JSON" if text else "nothing"


def without(value: Any, secret: bool = False) -> Any:
    """The same without what a key, a Secret around it or its own form says to be a credential."""
    if isinstance(value, Mapping):
        secret = secret or value.get("kind") in ("Secret", "SecretList")
        named = credential_key(str(value.get("name")))  # as an environment variable is
        return {
            key: MASK if _hidden(str(key), part, secret, named) else without(part, secret)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [without(part, secret) for part in value]
    if isinstance(value, str):
        return "\n".join(masked(_TOKEN.sub(MASK, line)) for line in value.split("\n"))
    return value


def _hidden(key: str, part: Any, secret: bool, named: bool) -> bool:
    if isinstance(part, bool) or part is None:
        return False
    if (secret and key in ("data", "stringData", "annotations")) or (named and key == "value"):
        return True
    return credential_key(key)
