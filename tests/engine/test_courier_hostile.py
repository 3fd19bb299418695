"""Real connections to servers that are down, slow or hostile: a rollback does not notice, and is told of later."""

import re
import threading
import time

import pytest
from adapters.githosts import hosts
from adapters.metrics import hostile
from receivers import FEEDBACK, asking, rollouts
from stage import Stage, work

from orchestrator.adapters.counted import CountedCluster
from orchestrator.adapters.githosts.registry import Hosts
from orchestrator.engine.courier import Courier
from orchestrator.engine.deliveries import Post
from orchestrator.rollout.resource import dump


def asked_at(stage, url):
    feedback = {**dump(FEEDBACK), "apiUrl": url}
    return asking(stage, feedback=feedback, notifications=[])


def returned():
    """Every errand has come back."""
    for thread in [t for t in threading.enumerate() if t.name == "errand"]:
        thread.join(10)
        assert not thread.is_alive()


def rolled_back(url=""):
    stage, calls = Stage(good=False), []
    ctx = stage.context()
    found = Hosts(stage.clock, lambda name, where: {"token": b"hunter2"}, seconds=0.5)
    courier = Courier(ctx, "one", Post(ctx, found.get, None))
    if url:
        asked_at(stage, url)
    counted = CountedCluster(stage.cluster, lambda *call: calls.append(call))
    began = time.monotonic()
    state = work(stage.context(counted), "first", watch=lambda state, action: courier.look(rollouts(stage)))
    assert time.monotonic() - began < 5, "no real second is spent on them"
    status = state.rollout.status
    return (status.phase, status.restored_seconds, stage.clock.now(), len(calls)), stage, courier


@pytest.mark.parametrize("mood", ["silence", "drip", "huge", "redirect", "busy", "down"])
def test_whatever_a_git_host_does_a_rollback_takes_as_long_and_is_told_of_later(mood, httpserver):
    with hostile.serving("web", "silence" if mood == "down" else mood) as url:
        found, stage, courier = rolled_back("http://127.0.0.1:1" if mood == "down" else url)
        returned()
    assert found == rolled_back()[0]
    (rollout,) = rollouts(stage)
    assert rollout.status.outbox
    fake = hosts.GitHub()
    httpserver.expect_request(re.compile(".*")).respond_with_handler(fake)
    asked_at(stage, httpserver.url_for("/"))
    for _ in range(4):
        stage.clock.sleep(4000)
        courier.look(rollouts(stage))
        returned()
    assert [s["state"] for s in fake.statuses if s["context"] == "netpol-canary/shop"] == ["failure"]
    assert len(fake.comments) == 1 and not rollouts(stage)[0].status.outbox
