"""What people ask for is taken up within two seconds, without a webhook and whatever the interval of polls is."""

from datetime import timedelta

import pytest
from faulty_port import FaultyPort, instead, just_before
from stage import OWN, Inline, Rounds, Stage, work

from orchestrator.context import APPROVAL, FREEZE, ROLLOUT, SOURCE, read
from orchestrator.engine import request_watch as module
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.request_watch import Notice
from orchestrator.engine.worker import Embedded
from orchestrator.errors import Unreachable
from orchestrator.operations import requests
from orchestrator.operations.approve import Decision, decide
from orchestrator.ports import Event
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.sandbox.clock import SimulatedClock

NAME = "shop-cccccccccc"
SOON = timedelta(seconds=2)


class Acting(SimulatedClock):
    """At a time somebody does something, in the middle of the controller's sleep."""

    def __init__(self):
        super().__init__()
        self.then = []

    def at(self, seconds, act):
        self.then.append((self.now() + timedelta(seconds=seconds), act))

    def sleep(self, seconds):
        due = [each for each in self.then if each[0] <= self.now() + timedelta(seconds=seconds)]
        self.then = [each for each in self.then if each not in due]
        super().sleep(seconds)
        for _, act in due:
            act()


class Synchronous(Notice):
    """Sees what the cluster's watches would tell it when it is asked, with no thread."""

    def begin(self):
        self.taken()

    def taken(self):
        for kind in module.KINDS:
            for obj in self.cluster.list(kind, self.namespace):
                self.see(kind, Event("MODIFIED", obj))
        return super().taken()


def served(stage, act, until):
    """A controller makes its rounds; somebody acts after a second: the time to the round after which `until` holds."""
    controller = Controller(stage.context(), "one", Instruments(), poll_seconds=30)
    controller.notice = Synchronous(stage.cluster, OWN)
    acted = []
    stage.clock.at(1, lambda: acted.append(act()) or acted.append(stage.clock.now()))
    controller.notice.begin()
    for _ in range(20):
        begun = stage.clock.now()
        controller.tick(Inline())
        if acted and until():
            return begun - acted[-1]
        controller._wait(3.0, leads=True)
    raise AssertionError("it never happened")


def staged(**strategy):
    stage = Stage(**strategy)
    stage.clock = Acting()
    return stage


def phase(stage, name=NAME):
    return stage.cluster.get(ROLLOUT, name, OWN)["status"]


def test_resume_goes_on_within_two_seconds():
    stage = staged()
    stopped = []

    def stop():
        found = stage.cluster.list(ROLLOUT, OWN)
        if found and (found[0].get("status") or {}).get("wavesStarted") and not stopped:
            stopped.append(1)
            Rounds(stage).ask(NAME, "pause")
        return False

    assert work(stage.context(), "w", stop=stop).rollout.status.paused_for == "user"
    asked = lambda: requests.ask(stage.context(), load(stage.cluster.get(ROLLOUT, NAME, OWN)), "resume")  # noqa: E731
    assert served(stage, asked, lambda: phase(stage)["phase"] != "Paused") <= SOON


def test_an_approval_opens_the_wave_within_two_seconds():
    stage = staged(gates=[m.Gate(wave=1)])
    assert work(stage.context(), "w").rollout.status.paused_for == "approval"

    def approve():
        for user in ("mia", "bob"):
            ctx = stage.context(stage.cluster.acting_as(user))
            decide(ctx, read(ctx, NAME), Decision(comment="fine"))

    assert served(stage, approve, lambda: phase(stage)["wavesStarted"] >= 2) <= SOON


def test_retry_begins_the_rollout_again_within_two_seconds():
    stage = staged(good=False)
    assert work(stage.context(), "w").rollout.status.phase == "RolledBack"
    assert stage.shop().status.blocked_revision
    Rounds(stage).controller.tick(Inline())  # the source was looked at just now
    stage.prober.good = True
    again = f"{NAME}-2"

    def begun():
        return again in {o["metadata"]["name"] for o in stage.cluster.list(ROLLOUT, OWN)}

    assert served(stage, lambda: requests.release(stage.context(), stage.shop()), begun) <= SOON


def test_what_the_controller_writes_itself_is_no_news():
    stage = Stage()
    seen = Synchronous(stage.cluster, OWN)
    seen.taken()
    work(stage.context(), "w", stop=lambda: bool(stage.cluster.list(ROLLOUT, OWN)))
    assert seen.taken()  # the rollout itself
    news = []
    state = Embedded(stage.context(), "w", watch=lambda state, action: news.append(seen.taken())).drive(NAME)
    assert state.rollout.status.phase == "Succeeded"
    assert len(news) > 10 and sum(news) <= 3  # finalizers come and go


@pytest.mark.parametrize("kind", [FREEZE, APPROVAL])
def test_what_comes_and_goes_is_news_once(kind):
    seen = Notice(None, OWN)
    obj = {"metadata": {"name": "x", "uid": "1"}}
    seen.see(kind, Event("ADDED", obj))
    assert seen.taken() and not seen.taken()
    seen.see(kind, Event("ADDED", obj))  # told again after a watch that began anew
    assert not seen.taken()
    seen.see(kind, Event("DELETED", obj))
    assert seen.taken()
    seen.see(kind, Event("DELETED", obj))
    assert not seen.taken()


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_KNOWN", 10)
    seen = Notice(None, OWN)
    for n in range(100):
        seen.see(SOURCE, Event("ADDED", {"metadata": {"name": f"s{n}"}}))
    assert len(seen._known) <= 10


def test_watches_that_fail_or_end_at_once_are_begun_again_with_pauses(monkeypatch):
    monkeypatch.setattr(module, "PAUSES", (0.01,))
    stage = Stage()
    fail = just_before(Unreachable("no answer"), "watch", at=range(1, 5))
    end = instead(lambda call: iter(()), "watch", at=range(5, 9))
    seen = Notice(FaultyPort(stage.cluster, fail, end), OWN)
    seen.begin()
    try:
        assert seen._news.wait(60)  # the source stands
        seen.taken()
        spec = m.RolloutFreezeSpec(reason="sale")
        stage.cluster.create(new("RolloutFreeze", "x", OWN, spec))
        assert seen._news.wait(60)
    finally:
        seen.close()
    assert len(end.seen) > 8


def test_who_does_not_lead_makes_no_more_rounds_than_before():
    stage = Stage()
    rounds = []
    other = Controller(stage.context(), "other", Instruments(), stop=lambda: len(rounds) > 5)
    other.notice = Always(stage.cluster, OWN)
    stage.clock.sleep(0)
    before = stage.clock.now()
    other._wait(3.0, leads=False)
    assert stage.clock.now() - before == timedelta(seconds=3)
    other._wait(3.0, leads=True)
    assert stage.clock.now() - before == timedelta(seconds=3.5)


class Always(Notice):
    def taken(self):
        return True
