"""The pages over three namespaces in memory, looked at by whoever the header X-User names."""

from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from stage import Stage
from starlette.testclient import TestClient

from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.record.view import RolloutView
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.people import People
from orchestrator.server import pages
from orchestrator.server.parts import Parts, Viewer

GROUPS = {"ann": ("engineers", "release-engineers"), "ben": ("engineers", "release-engineers"), "carol": ()}
CSRF = "a-token-of-this-session"


@dataclass
class Site:
    stage: Stage
    http: TestClient
    name: str = ""

    def get(self, path, user="ben", **more):
        return self.http.get(path.replace("NAME", self.name), headers={"X-User": user}, **more)

    def post(self, path, user="ben", csrf=CSRF, **form):
        return self.http.post(
            path.replace("NAME", self.name),
            data={"csrf": csrf, **form},
            headers={"X-User": user},
            follow_redirects=False,
        )

    def work(self):
        return Embedded(self.stage.context(), "test").drive(self.name)


def site_of(stage):
    app = FastAPI()
    people = People(stage.cluster)

    @app.middleware("http")
    async def known(request, call_next):
        user = request.headers.get("X-User", "")
        request.state.viewer = None
        if user in GROUPS:
            cluster = people.impersonating(user, GROUPS[user])
            breakers = stage.cluster.breakers & {user, *GROUPS[user]}

            def may(verb, resource):
                return bool(breakers) if verb == "emergency" else "release-engineers" in GROUPS[user]

            request.state.viewer = Viewer(user, GROUPS[user], cluster, may, CSRF)
        return await call_next(request)

    pages.install(app, Parts(stage.context()))
    return Site(stage, TestClient(app))


def made(good=True, **strategy):
    stage = Stage(good=good, **strategy)
    site = site_of(stage)
    ctx = stage.context()
    site.name = start(ctx, find_source(ctx, "shop")).rollout
    site.work()
    return site


@pytest.fixture
def opened():
    """The pages over a stage."""
    return site_of


@pytest.fixture
def begun():
    """Begins a rollout and works it off as far as it goes."""
    return made


@pytest.fixture
def waiting():
    """A rollout whose canary is good and whose next wave waits for two engineers; one of its authors is ann."""
    gate = m.Gate(wave=1, approvals=1, groups=["engineers"])
    return made(gates=[gate])


@pytest.fixture(scope="module")
def undone():
    return made(good=False)


@pytest.fixture
def view():
    """A view with nothing in it but what is given."""

    def make(**given):
        empty = {
            "name": "shop-1",
            "source": "shop",
            "revision": "c" * 40,
            "previous_revision": "",
            "plan_digest": "sha256:1",
            "phase": "Progressing",
            "paused_for": "",
            "reason": "",
            "waits_for": "",
            "authors": (),
            "risk": "none",
            "risk_reasons": (),
            "boundaries": (),
            "waves": (),
            "moments": (),
            "explained": (),
            "confidence": "",
            "started_at": None,
            "detected_at": None,
            "restored_at": None,
            "restored_seconds": None,
            "verified": "",
        }
        return RolloutView(**{**empty, **given})

    return make
