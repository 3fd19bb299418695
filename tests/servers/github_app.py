"""Where a GitHub App gets its tokens: each JWT is held to what GitHub asks of one, by the App's public key."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler

PATH = "/api/v3/app/installations/42/access_tokens"
LIFE = 3600


@cache
def key(bits=2048):
    """A private key in PEM; one for all tests, since making one takes long."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL)
    return made.private_bytes(*form, serialization.NoEncryption())


def secret(api="", **more):
    """The Secret of the App 7 in the installation 42."""
    found = {"githubAppID": b"7\n", "githubAppInstallationID": b"42", "githubAppPrivateKey": key()}
    return {**found, **({"githubAppBaseURL": api.encode()} if api else {}), **more}


def answering(httpserver, monkeypatch, clock):
    """The Tokens at PATH of a server whose clock that is."""
    found = Tokens(clock)
    httpserver.expect_request(PATH, method="POST").respond_with_handler(found)
    now = lambda handler, timestamp=None: format_datetime(clock.now(), usegmt=True)  # noqa: E731
    monkeypatch.setattr(WSGIRequestHandler, "date_time_string", now)
    return found


class Tokens:
    """Answers at PATH. `clock` is GitHub's own, `made` what each token was asked for; `broken` answers in its place."""

    def __init__(self, clock, life=LIFE):
        self.clock, self.life, self.made, self.said, self.broken = clock, life, [], [], None

    def __call__(self, request: Request) -> Response:
        now = self.clock.now()
        said = self._problem(request, now.timestamp())
        self.said.append(said)
        if said:
            return Response(json.dumps({"message": said}), 401)
        if self.broken is not None:
            return self.broken(request)
        self.made.append(request.get_json())
        ends = datetime.fromtimestamp(now.timestamp() + self.life, UTC)
        body = {"token": self.token(len(self.made)), "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return Response(json.dumps(body), 201)

    @staticmethod
    def token(number):
        return f"ghs_hunter{number}"

    def _problem(self, request, now):
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(given, RSAKey.import_key(key()), algorithms=["RS256"]).claims
        except (JoseError, ValueError) as error:
            return f"A JSON web token could not be decoded: {error}"
        if claims["iss"] != "7":
            return "Integration not found"
        if claims["iat"] > now:
            return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        if not now < claims["exp"] <= now + 600:
            return "'Expiration time' claim ('exp') is too far in the future, or has passed"
        return ""
