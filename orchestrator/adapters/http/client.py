"""The one HTTP client: an answer of one server, within seconds and bytes, with no credentials but those given.

Nothing of the environment is taken but proxies, where a caller wants them: no ~/.netrc, no REQUESTS_CA_BUNDLE, which
replaces `verify` of a session of requests. Cookies are not kept. Answers are not decompressed: a small one must not
become a large one here.
"""

import base64
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from orchestrator.adapters.http.allowed_addresses import problem, shown
from orchestrator.adapters.http.bounded_json import parsed
from orchestrator.adapters.http.deadline import Deadline
from orchestrator.adapters.http.proof import Identity, Outgoing
from orchestrator.adapters.http.redaction import redacted
from orchestrator.adapters.request_log import Exchange, answered, told
from orchestrator.errors import IdentityError, PortError

CHUNK = 65536
MOST_CHARACTERS = 400
ALWAYS = {"User-Agent": "netpol-canary", "Accept": "application/json"}
Basic = tuple[str, str]
Query = Mapping[str, str | int]


@dataclass(frozen=True)
class Answer:
    """What a server said; `headers` are found in whatever case. `proof` is what it was shown of an identity."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    proof: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Client:
    """Asks for what is below `url`. Whatever goes wrong is a `fails`: one line that names the address and no secret.

    `seconds` hold for all of a question, `most_bytes` for each answer; `verify` is as in requests. `credentials` are headers, and
    `secrets` whatever else no message may show. An `identity` gives more headers for each request, and others once where the
    first are refused. `plain` and `query` are as in `problem`; `redirects` are followed on the same host alone.
    """

    url: str
    fails: type[PortError]
    seconds: float = 10.0
    most_bytes: int = 1 << 20
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: Basic | None = field(default=None, repr=False)
    identity: Identity | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    verify: bool | str = True
    plain: bool = False
    query: bool = False
    redirects: int = 0
    proxies: bool = True

    def ask(
        self,
        method: str,
        path: str = "",
        query: Query | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        deadline: Deadline | None = None,
    ) -> Answer:
        """The answer, whatever its status but for redirects; `deadline` takes the place of `seconds`."""
        until, url = deadline or Deadline(self.seconds), self._below(path)
        for _ in range(self.redirects + 1):
            answer = self._proven(method, url, until, params=query, data=form, json=body)
            if not 300 <= answer.status < 400:
                return answer
            url, query = self._onward(method, url, answer), None
        raise self.error("redirects without end")

    def json(self, answer: Answer) -> Any:
        """What its body says."""
        try:
            return parsed(answer.body)
        except ValueError as error:
            raise self.error(f"gave no usable answer: HTTP {answer.status}, {error}") from None

    def error(self, text: str, path: str = "") -> PortError:
        """What is wrong with an answer."""
        asked = f"{shown(self.url)}/{path}" if path else shown(self.url)
        return self.fails(self.clean(f"{asked} {text}"))

    def clean(self, text: str) -> str:
        """One line of at most 400 characters, without what is secret."""
        return self._redacted(text)[:MOST_CHARACTERS]

    def _redacted(self, text: str) -> str:
        basic = _forms(*self.basic) if self.basic else ()
        lately = self.identity.secrets if self.identity else ()
        return redacted(text, (*self.secrets, *self.credentials.values(), *basic, *lately))

    def _below(self, path: str) -> str:
        """The address of a path; those that servers or libraries would read as one above are none."""
        if said := problem(self.url, self.plain, self.query):
            raise self.error(said)
        steps = unquote(path.partition("?")[0]).replace("\\", "/").split("/")
        if ".." in steps or "#" in path:
            raise self.fails(self.clean(f"{path} is no path below {shown(self.url)}"))
        return f"{self.url.rstrip('/')}/{path.lstrip('/')}" if path else self.url

    def _onward(self, method: str, url: str, answer: Answer) -> str:
        """Where a redirect leads. What was renamed stays on its host; credentials must not leave it."""
        code = answer.status
        repeats = code in (307, 308) or (code in (301, 302) and method == "GET")
        if not self.redirects or not repeats:
            text = "a redirect, which is not followed: give the address it leads to"
            raise self.error(f"answered {code}, {text}")
        try:
            target = urljoin(url, answer.headers.get("Location", ""))
            old, new = urlsplit(self.url), urlsplit(target)
        except ValueError:
            raise self.error(f"answered {code}, a redirect to no address") from None
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise self.error(f"redirects to {new.netloc}, which is not followed")
        return target

    def _proven(self, method: str, url: str, until: Deadline, **content: Any) -> Answer:
        """Asked again where an identity is refused and has another proof: a refusal has no effect."""
        answer = self._once(method, url, until, **content)
        if self.identity is not None and self.identity.renewed(answer.status, answer.proof):
            return self._once(method, url, until, **content)
        return answer

    def _proof(self, request: Any) -> Mapping[str, str]:
        """Headers for a request of requests that is about to be sent."""
        if self.identity is None:
            return {}
        body = request.body or b""
        asked = Outgoing(
            request.method,
            request.url,
            request.headers.get("Content-Type", ""),
            body.encode() if isinstance(body, str) else body,
        )
        try:
            return self.identity.headers(asked)
        except IdentityError as error:
            raise self.error(f"was not asked: {error}") from None

    def _once(self, method: str, url: str, until: Deadline, **content: Any) -> Answer:
        import requests  # takes long to import, and most commands ask nobody
        import urllib3

        from orchestrator.adapters.http.bounded_connection import BoundedAdapter

        headers = {**ALWAYS, **self.credentials, "Accept-Encoding": "identity"}
        proxies = requests.utils.get_environ_proxies(url) if self.proxies else {}
        try:
            # No session: it takes from the environment, and reads the whole body of a redirect that it does not follow.
            request = requests.Request(method, url, headers, auth=self.basic, **content).prepare()
            proof = self._proof(request)
            request.headers.update(proof)
            address, sent = self._redacted(str(request.url)), content.get("json") or content.get("data")
            with (
                told(Exchange(method, address, request.headers, sent)) as exchange,
                closing(BoundedAdapter(until, self.most_bytes)) as adapter,
                closing(adapter.send(request, True, until.patience(), self.verify, None, proxies)) as answer,
            ):
                exchange.outcome = str(answer.status_code)
                body = self._body(answer)
                answered(
                    f"{method} {address}", lambda: self._redacted(body.decode(errors="replace")).encode()
                )
                return Answer(answer.status_code, answer.headers, body, proof)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            slow = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
            if isinstance(error, slow) or not until.left:
                raise self.error(f"gave no whole answer within {until.seconds:g} s") from None
            theirs = [v for p in proxies.values() for v in _forms(*requests.utils.get_auth_from_url(p))]
            raise self.error(f"gave no usable answer: {redacted(_why(error), theirs)}") from None

    def _body(self, answer: Any) -> bytes:
        """As it came, and read no further than it may be long. Raises ValueError."""
        from orchestrator.adapters.http.bounded_connection import TooLarge

        if 300 <= answer.status_code < 400:
            return b""
        if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise ValueError(f"HTTP {answer.status_code}, compressed although that was not asked for")
        if (answer.raw.length_remaining or 0) > self.most_bytes:
            raise TooLarge(self.most_bytes)
        found = bytearray()
        for part in answer.raw.stream(CHUNK, decode_content=False):
            found += part
            if len(found) > self.most_bytes:
                raise TooLarge(self.most_bytes)
        return bytes(found)


def _forms(user: str, password: str) -> tuple[str, str]:
    """A password as a message may show it: as it is, and as it is sent."""
    return password, base64.b64encode(f"{user}:{password}".encode()).decode()


def _why(error: BaseException) -> str:
    """What lies at the bottom of it; what is wrapped around repeats the address with its query."""
    while inner := next(
        (e for e in (getattr(error, "reason", None), *error.args) if isinstance(e, BaseException)), None
    ):
        error = inner
    return str(error) or type(error).__name__
