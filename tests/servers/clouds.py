"""Clouds on loopback: where credentials are handed out, and a Prometheus that verifies what it is shown."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

from loopback import Answering

AWS_KEYS = {"AKIDONE": "first-secret", "AKIDTWO": "second-secret", "AKIDSECRET": "a-secret-of-a-Secret"}
SESSION = "session-of-"
POD_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QiLCJleHAiOjE3MDB9.c2lnbmF0dXJlLW9mLXRoZS1wb2Q1"


def signature_problem(handler, body, region="eu-west-1", service="aps"):
    """What is wrong with a request by AWS Signature Version 4, worked out by the book; empty where nothing is."""
    given = dict(handler.headers.items())
    head, _, rest = given.get("Authorization", "").partition(" ")
    parts = dict(p.strip().split("=", 1) for p in rest.split(",") if "=" in p)
    if head != "AWS4-HMAC-SHA256" or not {"Credential", "SignedHeaders", "Signature"} <= set(parts):
        return "no signature"
    access, *scope = parts["Credential"].split("/")
    names, at = parts["SignedHeaders"].split(";"), given["X-Amz-Date"]
    if access not in AWS_KEYS or scope != [at[:8], region, service, "aws4_request"]:
        return f"another scope: {access} {scope}"
    if not {"host", "x-amz-date"} <= set(names):
        return "host and date are not signed"
    now = datetime.now(UTC)
    if abs(datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - now) > timedelta(minutes=5):
        return "Signature expired"
    lower = {k.lower(): " ".join(v.split()) for k, v in given.items()}
    if access in ("AKIDONE", "AKIDTWO") and lower.get("x-amz-security-token") != SESSION + access:
        return "the security token is invalid"
    url = urlsplit(handler.path)
    query = "&".join(f"{quote(k, '-_.~')}={quote(v, '-_.~')}" for k, v in sorted(parse_qsl(url.query, True)))
    canonical = "\n".join(
        [
            handler.command,
            quote(url.path, "/-_.~"),
            query,
            *(f"{n}:{lower[n]}" for n in names),
            "",
            ";".join(names),
            hashlib.sha256(body.encode()).hexdigest(),
        ]
    )
    signed = "\n".join(
        ["AWS4-HMAC-SHA256", at, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{AWS_KEYS[access]}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    wanted = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    return "" if wanted == parts["Signature"] else "SignatureDoesNotMatch"


class Prometheus(Answering):
    """Answers whoever proves who they are: `server.proven(handler, body)` says what is wrong; `server.found` are namespaces.

    `server.asked` has what each request brought, and what was wrong with it.
    """

    def do_GET(self):
        said = self.server.proven(self, self.given)
        self.server.asked.append((self.headers.get("Authorization", ""), said))
        if said:
            status = getattr(self.server, "refusal", 403)
            return self.whole(status, {"message": f"{said}: {self.headers.get('Authorization', '')}"})
        return self.whole(200, {"status": "success", "data": self._data(dict(parse_qsl(self.given)))})

    def _data(self, form):
        """1 for each namespace, at every time that is asked about."""
        span = [float(form[k]) for k in ("start", "end", "step") if k in form]
        times = [float(form.get("time", 0))] if not span else []
        while span and span[0] <= span[1]:
            times.append(span[0])
            span[0] += span[2]
        found = [({"namespace": n}, [[t, "1"] for t in times]) for n in getattr(self.server, "found", ())]
        if span:
            return {"resultType": "matrix", "result": [{"metric": m, "values": v} for m, v in found]}
        return {"resultType": "vector", "result": [{"metric": m, "value": v[0]} for m, v in found]}


def bearer(*taken):
    """Takes these tokens."""
    return lambda handler, body: (
        "" if handler.headers.get("Authorization") in [f"Bearer {t}" for t in taken] else "no"
    )


class PodIdentity(Answering):
    """The agent of EKS Pod Identity: keys for the token of the pod; `server.access` names which."""

    def do_GET(self):
        self.server.asked.append(self.headers.get("Authorization", ""))
        if self.server.broken:
            return self.whole(500, f"{POD_TOKEN}? no".encode())
        ends = datetime.now(UTC) + timedelta(hours=1)
        access = self.server.access
        found = {"AccessKeyId": access, "SecretAccessKey": AWS_KEYS[access], "Token": SESSION + access}
        return self.whole(200, {**found, "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})


class SecurityTokens(Answering):
    """AWS STS: keys of a role, for the token of a pod or for other keys; `server.asked` has the forms."""

    def do_GET(self):
        form = dict(parse_qsl(self.given))
        self.server.asked.append(form)
        ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = f"<AccessKeyId>AKIDONE</AccessKeyId><SecretAccessKey>{AWS_KEYS['AKIDONE']}</SecretAccessKey>"
        keys += f"<SessionToken>{SESSION}AKIDONE</SessionToken><Expiration>{ends}</Expiration>"
        name, place = form["Action"], "https://sts.amazonaws.com/doc/2011-06-15/"
        found = f"<{name}Result><Credentials>{keys}</Credentials></{name}Result>"
        text = f'<{name}Response xmlns="{place}">{found}</{name}Response>'
        return self.whole(200, text.encode(), Content_Type="text/xml")


class GoogleMetadata(Answering):
    """The metadata server of a node: tokens g1, g2, …"""

    def do_GET(self):
        flavor = {"Metadata-Flavor": "Google"}
        if "/token" not in self.path:
            body = {"email": "canary@shop", "scopes": [], "aliases": ["default"]}
            return self.whole(200, body if "recursive" in self.path else b"shop", **flavor)
        self.server.asked.append(self.path)
        token = f"google-{len(self.server.asked)}"
        return self.whole(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}, **flavor)


class GoogleTokens(Answering):
    """Where the key of a service account is changed for a token; `server.asked` has the JWTs."""

    def do_GET(self):
        form = dict(parse_qsl(self.given))
        self.server.asked.append(form["assertion"])
        token = f"google-{len(self.server.asked)}"
        return self.whole(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})


class AzureIdentity(Answering):
    """The endpoint of a managed identity: tokens for one audience."""

    def do_GET(self):
        self.server.asked.append(dict(parse_qsl(urlsplit(self.path).query)))
        ends = int(datetime.now(UTC).timestamp()) + 3600
        token = f"azure-{len(self.server.asked)}"
        resource = self.server.asked[-1].get("resource", "")
        return self.whole(
            200,
            {"access_token": token, "expires_on": str(ends), "resource": resource, "token_type": "Bearer"},
        )


class AzureAuthority(Answering):
    """A tenant's authority: tokens for an application and its secret; `server.asked` has the forms."""

    def do_GET(self):
        place = f"{self.server.url}/tenant"
        if self.path.endswith("/.well-known/openid-configuration"):
            found = {"authorization_endpoint": f"{place}/oauth2/v2.0/authorize", "issuer": f"{place}/v2.0"}
            return self.whole(200, {**found, "token_endpoint": f"{place}/oauth2/v2.0/token"})
        if not self.path.endswith("/oauth2/v2.0/token"):
            return self.whole(404, {"path": json.dumps(self.path)})
        self.server.asked.append(dict(parse_qsl(self.given)))
        token = f"azure-{len(self.server.asked)}"
        return self.whole(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
