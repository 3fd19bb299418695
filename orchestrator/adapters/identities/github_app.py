"""A GitHub App as the identity at a Git host: tokens of an hour, for one repository and the permissions that are needed.

GitHub REST API, "Authenticating as a GitHub App installation". The keys of the Secret are those of Flux and of Argo CD.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from orchestrator.adapters.http.allowed_addresses import problem
from orchestrator.adapters.http.client import Answer, Client
from orchestrator.adapters.identities.made_once import MadeOnce
from orchestrator.adapters.identities.renewed_token import REFUSED, RenewedToken, Token
from orchestrator.errors import BadInput, IdentityError
from orchestrator.ports import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ID, INSTALLATION, KEY = "githubAppID", "githubAppInstallationID", "githubAppPrivateKey"
BASES = ("githubAppBaseURL", "githubAppEnterpriseBaseUrl")  # of Flux, of Argo CD
PUBLIC = "https://api.github.com"
FETCH = {"contents": "read"}
SECONDS, MOST_BYTES = 10.0, 1 << 20
MOST_KEY = 32_768
LEAST_BITS = 2048
PAST, AHEAD = (
    timedelta(seconds=60),
    timedelta(minutes=8),
)  # of a JWT, which GitHub takes for ten minutes at most
SKEW = timedelta(seconds=30)  # by which clocks differ without that being the reason for a refusal
HOUR = 3600.0
_IDENTIFIER, _NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}"), re.compile(r"[0-9]{1,20}")
_REPOSITORY = re.compile(
    r"(https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?)/([\w.-]+)/([\w.-]+?)(?:\.git)?/?", re.ASCII
)
_ENTERPRISE_CLOUD = re.compile(r"https://api\.([a-z0-9-]+\.ghe\.com)")


@dataclass(frozen=True, repr=False)
class App:
    """One installation of an App, at the API of one host."""

    app: str
    installation: str
    key: RSAPrivateKey
    api: str = PUBLIC

    @staticmethod
    def from_secret(data: Mapping[str, bytes], where: str) -> App | None:
        """None for a Secret without an App. Raises BadInput for one that cannot be meant; no value of it is shown."""
        if not any(key in data for key in (ID, INSTALLATION, KEY)):
            return None
        text = {k: v.decode(errors="replace").strip() for k, v in data.items()}
        for name, form in ((ID, _IDENTIFIER), (INSTALLATION, _NUMBER)):
            if not form.fullmatch(text.get(name, "")):
                raise BadInput(f"the Secret's {name} is missing, or is none", where, "docs/git-hosts.md")
        if given := [k for k in ("token", "password", "sshKey") if text.get(k)]:
            raise BadInput(f"the Secret holds a GitHub App and {given[0]}", where, "leave one of them out")
        api = next((text[k] for k in BASES if text.get(k)), PUBLIC).rstrip("/").lower()
        if said := problem(api):
            raise BadInput(f"the Secret's {BASES[0]} {said}", where, "such as https://HOST/api/v3")
        return App(text[ID], text[INSTALLATION], _key(data.get(KEY, b""), where), api)

    @property
    def host(self) -> str:
        """Where the repositories are whose API that is."""
        if self.api == PUBLIC:
            return "https://github.com"
        cloud = _ENTERPRISE_CLOUD.fullmatch(self.api)
        return f"https://{cloud[1]}" if cloud else self.api.removesuffix("/api/v3")

    def repository(self, url: str, where: str) -> str:
        """The name of a repository on that host. Raises BadInput for one elsewhere: its token does not go there."""
        found = _REPOSITORY.fullmatch(url)
        if not found:
            raise BadInput(
                "a GitHub App reads https://HOST/OWNER/NAME alone", where, "give git.url in that form"
            )
        if found[1].lower() != self.host:
            text = f"the Secret's GitHub App is one of {self.host}, and git.url leads to {found[1]}"
            raise BadInput(text, where, f"set {BASES[0]} in the Secret to that host's API")
        return found[3]

    def assertion(self, now: datetime) -> str:
        """The JWT that asks for tokens (RS256), for a clock that may be a minute ahead of GitHub's."""
        from cryptography.hazmat.primitives.asymmetric import padding
        from cryptography.hazmat.primitives.hashes import SHA256

        claims = {"iat": _second(now - PAST), "exp": _second(now + AHEAD), "iss": self.app}
        head = b".".join(_part(json.dumps(p).encode()) for p in ({"alg": "RS256", "typ": "JWT"}, claims))
        return (head + b"." + _part(self.key.sign(head, padding.PKCS1v15(), SHA256()))).decode()

    @property
    def fingerprint(self) -> str:
        """Of the public key."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(public).hexdigest()


class GitHubApps:
    """The tokens of this process, each for an installation, a repository and some permissions."""

    def __init__(self, clock: Clock, seconds: float = SECONDS) -> None:
        self._clock, self._seconds = clock, seconds
        self._kept = MadeOnce[RenewedToken]()

    def token(
        self,
        app: App,
        repository: str,
        permissions: Mapping[str, str],
        ca_file: str = "",
        authorities: str = "",
    ) -> RenewedToken:
        """For a repository by its name without its owner; certificates to trust by, as a file or as they are."""
        wanted = {"repositories": [repository], "permissions": dict(permissions)}
        key = (app.api, app.app, app.installation, app.fingerprint, json.dumps(wanted), ca_file, authorities)

        def make() -> Token:
            with _trusted(ca_file, authorities) as verify:
                return self._made(app, wanted, verify)

        return self._kept.get(key, lambda: RenewedToken(make, self._clock))

    def _made(self, app: App, wanted: Mapping[str, object], verify: bool | str) -> Token:
        now = self._clock.now()
        client, answer = self._asked(app, wanted, verify, now)
        theirs = _date(answer, now)
        if answer.status == REFUSED and abs(theirs - now) > SKEW:
            client, answer = self._asked(app, wanted, verify, theirs)
        if answer.status != 201:
            raise _refusal(client, answer)
        body = client.json(answer)
        try:
            ends = datetime.fromisoformat(body["expires_at"])
            lasts = (ends - _date(answer, self._clock.now())).total_seconds()
            return Token(str(body["token"]), min(lasts, HOUR))
        except (TypeError, KeyError, ValueError, OverflowError):
            raise client.error("answered with data of an unknown shape") from None

    def _asked(
        self, app: App, wanted: Mapping[str, object], verify: bool | str, now: datetime
    ) -> tuple[Client, Answer]:
        headers = api_headers(app.assertion(now))
        client = Client(app.api, IdentityError, self._seconds, MOST_BYTES, headers, verify=verify)
        path = f"app/installations/{app.installation}/access_tokens"
        return client, client.ask("POST", path, body=wanted)


def api_headers(token: str) -> dict[str, str]:
    """What GitHub's API is asked with."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


def _refusal(client: Client, answer: Answer) -> IdentityError:
    """What to do about it, with what the host says."""
    todo = {
        401: f"check {ID} and {KEY}, and this machine's clock",
        404: f"check {INSTALLATION}, and {ID}",
        422: "give the App the repository and the permissions of docs/git-hosts.md",
    }.get(answer.status, "")
    try:
        body = client.json(answer)
    except IdentityError:
        body = None
    message = body.get("message", "") if isinstance(body, dict) else ""
    said = " ".join(filter(None, (f"answered {answer.status} to the GitHub App:", str(message))))
    return IdentityError(f"{client.error(said)}{f'; {todo}' if todo else ''}")


def _date(answer: Answer, now: datetime) -> datetime:
    """What time it is for who answered; `now` where it does not say a time of our days."""
    try:
        found = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError, IndexError, OverflowError):
        return now
    return found.replace(tzinfo=found.tzinfo or UTC) if 2000 <= found.year < 2200 else now


@contextmanager
def _trusted(ca_file: str, authorities: str) -> Iterator[bool | str]:
    """Whom to trust, as requests takes it."""
    if not authorities:
        yield ca_file or True
        return
    with tempfile.NamedTemporaryFile("w", prefix="netpol-canary-", suffix=".crt") as bundle:
        bundle.write(authorities)
        bundle.flush()
        yield bundle.name


def _key(pem: bytes, where: str) -> RSAPrivateKey:
    key = _read(pem[:MOST_KEY])
    if key is None:
        text = f"the Secret's {KEY} is no RSA key of {LEAST_BITS} bits or more"
        raise BadInput(text, where, "give the PEM file that GitHub made for the App, without a passphrase")
    return key


@lru_cache(maxsize=256)  # each poll of each source has need of it, and checking a key takes long
def _read(pem: bytes) -> RSAPrivateKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey) and key.key_size >= LEAST_BITS else None


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
