"""A small OpenID provider on the loopback address, that can be told to lie, to drip or never to end."""

import base64
import hashlib
import ssl
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

import loopback
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET, CODE = "netpol-canary", "a-secret", "code-1"
LASTS = 600  # seconds that a slow answer takes unless the client has had enough


def key(name):
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})


class Provider:
    """`claims` and `header` replace those of the token; `moods` is what befalls a path instead of its answer."""

    def __init__(self, now):
        self.now = now
        self.key = self.signs = key("first")
        self.claims, self.header, self.moods, self.document = {}, {}, {}, {}
        self.odd = []  # keys beside the one that signs
        self.asked = {}
        self.tokens = []
        self.visits = []  # paths that were asked for, in order
        self.raw = None
        self.secret = SECRET
        self.issuer = ""

    def consent(self, address, code=CODE):
        """What the browser does at the provider's: remember the attempt, and give the way back's query."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        self.asked[code] = query
        return {"code": code, "state": query["state"]}

    def id_token(self, query):
        now = int(self.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": query["client_id"],
            "sub": "42",
            "iat": now,
            "exp": now + 600,
            "nonce": query["nonce"],
            "email": "ann@example.com",
            "email_verified": True,
            "groups": ["release-engineers", "chess"],
            **self.claims,
        }
        claims = {k: v for k, v in claims.items() if v is not None}
        header = {"alg": "ES256", "kid": self.signs.kid, **self.header}
        return jwt.encode(header, claims, self.signs)

    def redeem(self, form, authorization):
        """Status and body of the token endpoint."""
        query = self.asked.pop(form.get("code", ""), None)
        if self.secret:
            wanted = base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()
            if authorization != f"Basic {wanted}":
                return 401, {"error": "invalid_client"}
        if query is None or form.get("redirect_uri") != query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        made = self.id_token(query) if self.raw is None else self.raw
        self.tokens.append(made)
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": made}


class Handler(loopback.Answering):
    def do_GET(self):
        given, path = self.server.provider, self.path
        given.visits.append(path)
        with suppress(OSError):  # of a client that has had enough
            if path in given.moods:
                getattr(self, given.moods[path])()
            elif path == "/.well-known/openid-configuration":
                self.whole(200, {**loopback.endpoints(given.issuer), **given.document})
            elif path == "/keys":
                self.whole(200, {"keys": [*given.odd, given.key.as_dict(private=False)]})
            else:
                self.whole(404, {})

    def do_POST(self):
        given = self.server.provider
        body = self.posted()
        with suppress(OSError):
            if self.path in given.moods:
                getattr(self, given.moods[self.path])()
                return
            form = {k: v[0] for k, v in parse_qs(body).items()}
            self.whole(*given.redeem(form, self.headers.get("Authorization", "")))

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b" " * 65536)

    def dripping(self):
        self.send_response(200)
        self.end_headers()
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            self.wfile.write(b" ")
            time.sleep(0.02)

    def redirect(self):
        self.whole(302, b"", Location="http://169.254.169.254/")

    def nothing(self):
        self.whole(200, b"<html>")

    def listed(self):
        self.whole(200, [1, 2])

    def nested(self):
        self.whole(200, b"[" * 100_000)

    def failing(self):
        self.whole(500, {"error": "server_error"})


def certificate(folder):
    """Paths of a certificate for 127.0.0.1, signed by itself, and of its key."""
    key, day = ec.generate_private_key(ec.SECP256R1()), timedelta(days=1)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider of the tests")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    certificate, private = folder / "provider.crt", folder / "provider.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private


@contextmanager
def serving(now, tls=None):
    """A Provider that answers, with the paths `tls` by https; `now()` is what its clock says."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    with loopback.serving(Handler, tls=context, provider=Provider(now)) as server:
        server.provider.issuer = server.url
        yield server.provider
