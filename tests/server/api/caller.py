"""A program that calls the API of a whole application."""

from starlette.testclient import TestClient

from orchestrator.sandbox.people import People, shipped
from orchestrator.server.http_app import create
from orchestrator.server.parts import Parts
from orchestrator.server.settings import load

URL = "https://rollouts.example.com"
SIGN_IN = {"keys": ["k" * 32], "external_url": URL}
TOKENS = {"bens-token": ("ben", ("engineers", "release-engineers")), "carols-token": ("carol", ())}


class Caller:
    def __init__(self, ctx, cluster, stage=None, allowed=shipped, **signin):
        self.ctx, self.cluster, self.stage, self.name = ctx, cluster, stage, ""
        self.tokens = dict(TOKENS)
        callers = People(cluster, allowed, self.tokens)
        settings = load(flags={"signin": {**SIGN_IN, **signin}})
        app = create(Parts(ctx, callers=callers), settings)
        self.http = TestClient(app, base_url=URL, follow_redirects=False, raise_server_exceptions=False)

    def get(self, path, token="bens-token", method="GET", params=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}".encode("latin-1")
        headers.setdefault("Accept", "application/json")
        url = f"/api/v1{path.replace('NAME', self.name)}"
        return self.http.request(method, url, headers=headers, params=params)

    def json(self, path, **more):
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()
