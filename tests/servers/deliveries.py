"""A service over a cluster in memory, and deliveries as Git hosts make them."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from types import SimpleNamespace

from fastapi.testclient import TestClient
from stage import OWN, Stage

from orchestrator.context import SOURCE
from orchestrator.rollout.polling import REQUESTED_AT
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from orchestrator.server.http_app import create
from orchestrator.server.parts import Parts
from orchestrator.server.settings import Settings

PAYLOADS = Path(__file__).parents[1] / "server" / "webhooks" / "payloads"
SECRET = b"what only the host knows"


def payload(name):
    return (PAYLOADS / f"{name}.json").read_bytes()


def signature(body, secret=SECRET):
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def github(body, event="push", secret=SECRET):
    given = {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={signature(body, secret)}"}
    return {**given, "Content-Type": "application/json"}


def pushed(url="https://git.example.com/team/shop.git", ref="refs/heads/main"):
    """A small push as GitHub would report it."""
    return json.dumps({"ref": ref, "repository": {"clone_url": url}}).encode()


class Service:
    """`post` delivers; `woken` are the sources that carry a request."""

    def __init__(self, **settings):
        self.stage = Stage()
        self.stage.source("policies", git=m.Git(url="https://github.com/platform/policies"))
        self.secret("webhooks", SECRET)
        given = {"secret_ref": "webhooks", **settings}
        self.settings = Settings(webhooks=given, controller={"enabled": False}, pages={"enabled": False})
        self.parts = Parts(self.stage.context())
        self.app = create(self.parts, self.settings)
        (self.wakes,) = self.app.state.background
        self.client = TestClient(self.app)

    def secret(self, name, value):
        data = {"webhookSecret": base64.b64encode(value).decode()}
        meta = {"name": name, "namespace": OWN}
        self.stage.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})

    def source(self, name, url, **git):
        self.stage.source(name, git=m.Git(url=url, **git))

    def post(self, host, body, headers):
        answer = self.client.post(f"/webhooks/{host}", content=body, headers=headers)
        self.wakes.work()
        return SimpleNamespace(code=answer.status_code, **answer.json())

    async def deliver(self, host, body, headers):
        """The same without a server or a client: the status of the answer."""
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        given = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        scope = {"type": "http", "method": "POST", "path": f"/webhooks/{host}", "query_string": b""}
        await self.app({**scope, "headers": given}, receive, send)
        return sent[0]["status"]

    def woken(self):
        found = [load(o) for o in self.stage.cluster.list(SOURCE, OWN)]
        return [s.name for s in found if REQUESTED_AT in (s.manifest["metadata"].get("annotations") or {})]
