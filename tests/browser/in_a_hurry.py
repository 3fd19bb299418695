"""The pages over a rollout of which an emergency would skip something."""

from contextlib import contextmanager

from answering_server import answering
from stage import Stage, work

from orchestrator.cli.demo import demo_server
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.people import People
from orchestrator.server import http_app
from orchestrator.server.parts import Parts
from orchestrator.server.settings import load

TOKEN = "a-token-of-the-cluster"
ROLLOUT = "/rollouts/shop-cccccccccc"


@contextmanager
def in_a_hurry():
    """Their address; the rollout waits for an approval, and whoever comes with the token is on call."""
    hurry = m.Emergency(skip=["windows", "waits", "waves"])
    stage = Stage(gates=[m.Gate(wave=1)], steps=[m.WaveStep(count=1)], settle_seconds=300, emergency=hurry)
    work(stage.context(), "one")
    people = People(stage.cluster, lambda *asked: True, {TOKEN: ("ben", ("on-call",))})
    settings = load(flags={"signin": {"keys": ["k" * 32], "insecure": True}})
    app = http_app.create(Parts(stage.context(), callers=people), settings)
    with answering(demo_server.server(app)) as url:
        yield url


def signed_in(page):
    """A page whose visitor came with the token; nothing is sent after it, since the cluster's clock stands still."""
    page.route("**/events*", lambda route: route.abort())
    page.goto("/signin")
    page.locator("#token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    return page
