"""The process serves until it is told to stop, and ends with whatever ends its controller."""

import threading
import urllib.request

import pytest
import structlog
from patience import ENOUGH
from stage import OWN, Stage

from orchestrator.adapters.clock import SystemClock
from orchestrator.cli import wiring
from orchestrator.cli.operate import service
from orchestrator.context import SOURCE
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.lease import LEASE
from orchestrator.errors import NotFound
from orchestrator.rollout.resources.resource import load
from orchestrator.server.settings import Settings


@pytest.fixture
def stage():
    structlog.reset_defaults()  # earlier tests may have set a file that is closed by now
    return Stage()


class Served:
    """`serve` in a thread over a stage, on a port of its own."""

    def __init__(self, monkeypatch, stage, **settings):
        self.stop, self.error = threading.Event(), None
        self.up, self.port = threading.Event(), 0
        monkeypatch.setattr(
            wiring, "over", lambda cluster, target, stop, granted: stage.context(clock=SystemClock(stop))
        )
        plain = service.listening

        def noted(*args):
            found = plain(*args)
            enter = found.__enter__

            class Noted:
                def __enter__(inner):
                    self.port = enter()
                    self.up.set()

                def __exit__(inner, *error):
                    return found.__exit__(*error)

            return Noted()

        monkeypatch.setattr(service, "listening", noted)
        given = {"webhooks": {"enabled": True}, **settings}
        args = (Settings(**given), stage.cluster, None, Instruments(), ("127.0.0.1", 0), self.stop)
        self.thread = threading.Thread(target=self._run, args=args)

    def _run(self, *args):
        try:
            service.serve(*args)
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        while not self.up.wait(0.1):
            assert self.up.is_set() or self.thread.is_alive(), self.error
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join(ENOUGH)
        assert not self.thread.is_alive()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=ENOUGH) as answer:
            return answer.status


def holder(stage):
    try:
        return stage.cluster.get(LEASE, "controller", OWN)["spec"]["holderIdentity"]
    except NotFound:
        return None


def test_the_controller_runs_beside_http_and_lets_its_lease_go(monkeypatch, stage):
    done = threading.Event()
    plain = stage.repository.resolve
    stage.repository.resolve = lambda ref="": done.set() or plain(ref)
    with Served(monkeypatch, stage) as served:
        assert done.wait(ENOUGH) and served.get("/healthz") == 200
        assert holder(stage)
    assert served.error is None
    assert holder(stage) == ""


def test_without_a_controller_it_is_ready_and_takes_no_lease(monkeypatch, stage):
    with Served(monkeypatch, stage, controller={"enabled": False}) as served:
        assert served.get("/readyz") == 200
    assert holder(stage) is None and load(stage.cluster.get(SOURCE, "shop", OWN)).status.active_rollout == ""


def test_what_breaks_the_controller_ends_the_process(monkeypatch, stage):
    # past the boundaries round sources and rollouts
    monkeypatch.setattr(Controller, "serve", lambda self: 1 / 0)
    with Served(monkeypatch, stage) as served:
        assert served.stop.wait(ENOUGH)
    assert isinstance(served.error, ZeroDivisionError)


@pytest.mark.parametrize("url", ["", "https://links.example.com"])
def test_links_lead_to_where_people_sign_in_unless_another_place_is_set(url):
    settings = Settings(pages={"url": url}, signin={"external_url": "https://rollouts.example.com"})
    assert service._pages(settings) == (url or "https://rollouts.example.com")
