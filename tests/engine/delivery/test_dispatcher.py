"""What happened is told once, in order, whatever receivers do; and nothing waits for them."""

import itertools
import threading

import pytest
from patience import ENOUGH
from receivers import BASE, FEEDBACK, Receivers, asking, courier, rollouts
from stage import ALLOW, DENY, OWN, Inline, Stage, files, policy, work

from orchestrator.adapters.kube.counted import CountedCluster
from orchestrator.adapters.kube.events import EventNotifier
from orchestrator.context import ROLLOUT, SOURCE, change, read
from orchestrator.engine.controller import Controller
from orchestrator.engine.delivery.bounded_threads import BoundedThreads
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.ports import Kind
from orchestrator.rollout.next import Action
from orchestrator.rollout.outbox import UNSENT
from orchestrator.rollout.resources.resource import dump

DAY = 86400
EVENT = Kind("v1", "Event")


def played(good=True, receivers=None, **strategy):
    """A stage on which a rollout came to its end while a courier looked at every step."""
    stage, receivers = asking(Stage(good, **strategy)), receivers or Receivers()
    ctx = stage.context()
    looking = courier(ctx, receivers)
    state = work(ctx, "first", watch=lambda state, action: looking.look(rollouts(stage)))
    return stage, receivers, looking, state


def look(stage, looking, times=1, seconds=1000):
    for _ in range(times):
        stage.clock.sleep(seconds)
        looking.look(rollouts(stage))


def test_a_good_rollout_is_told_step_by_step():
    stage, receivers, looking, _state = played()
    look(stage, looking, 2)
    assert receivers.states("netpol-canary/shop")[-1] == "success"
    assert receivers.states("netpol-canary/shop/wave-0") == ["pending", "success"]
    assert next(m.title.rpartition(": ")[2] for m in receivers.messages) == "planned"
    assert receivers.messages[-1].title == "netpol-canary: shop: promoted everywhere"
    last = receivers.messages[-1]
    assert last.link.startswith(BASE) and last.id in last.small
    assert "promoted everywhere" in next(iter(receivers.comments.values()))
    assert len(receivers.messages) == len(receivers.distinct()) and not receivers.pulls
    assert not rollouts(stage)[0].status.outbox
    assert not rollouts(stage)[0].manifest["metadata"].get("finalizers")


def test_a_bad_rollout_ends_in_failure_and_a_way_back_in_git():
    stage, receivers, looking, _state = played(good=False)
    look(stage, looking, 2)
    assert receivers.states("netpol-canary/shop")[-1] == "failure"
    assert receivers.history["netpol-canary/shop/wave-0"][-1].description.startswith("1 namespace restored")
    assert "rolled back, everything restored" in next(iter(receivers.comments.values()))
    (pull,) = receivers.pulls
    assert (pull.branch, pull.base) == ("netpol-canary/revert-cccccccccc", "main")
    assert {m.severity for m in receivers.messages if "rolling back" in m.title} == {"critical"}


def test_an_outage_delays_nothing_and_only_the_latest_status_is_set_after_it():
    stage, receivers, looking, state = played(good=False, receivers=Receivers(down=True))
    assert state.rollout.status.phase == "RolledBack" and stage.shop().status.active_rollout == ""
    assert receivers.asked < 40 and not receivers.history
    look(stage, looking, 5)
    receivers.down = False
    look(stage, looking, 2)
    assert receivers.states("netpol-canary/shop") == ["failure"]
    reasons = [m.title.rpartition(": ")[2] for m in receivers.messages]
    assert reasons[0] == "planned" and reasons[-1] == "rolled back"
    assert not rollouts(stage)[0].status.outbox


@pytest.mark.parametrize("step", [-600, -86400])
def test_a_wall_clock_that_is_set_back_holds_no_message_up(step):
    stage, receivers, looking, _ = played(receivers=Receivers(down=True))
    receivers.down = False
    stage.clock.set(step)
    look(stage, looking, 2)
    assert receivers.states("netpol-canary/shop")[-1] == "success" and not rollouts(stage)[0].status.outbox


def test_a_process_that_ends_waits_no_longer_though_the_wall_clock_is_set_back():
    stage, _, looking, _ = played(receivers=Receivers(down=True))
    began, looks = stage.clock.monotonic(), []
    looking.stop = lambda: looks.append(stage.clock.set(-600)) or len(looks) > 200
    assert not looking.deliver("shop", 5.0)
    assert stage.clock.monotonic() - began < 6


def test_what_cannot_be_told_stops_no_newer_rollout_and_is_kept():
    stage, receivers, looking, _ = played(receivers=Receivers(down=True))
    stage.change(revisionHistoryLimit=1)
    controller = Controller(stage.context(), "two", Instruments(), courier=looking)
    for mark, more in (("d", []), ("e", [ALLOW])):
        stage.repository.push(mark, files(DENY, *more))
        for _ in range(3):
            stage.clock.sleep(60)
            controller.tick(Inline())
    assert [r.status.phase for r in rollouts(stage)] == ["Succeeded"] * 3
    assert all(r.status.outbox for r in rollouts(stage))
    receivers.down = False
    look(stage, looking, 3)
    controller.tick(Inline())
    controller.tick(Inline())
    assert [r.name for r in rollouts(stage)] == ["shop-eeeeeeeeee"]
    assert receivers.states("netpol-canary/shop")[-1] == "success"
    revisions = [m.body.partition("Rollout ")[2].split(",")[0] for m in receivers.messages]
    assert revisions == sorted(revisions)


def test_it_gives_up_after_a_day_and_says_so():
    stage, _, looking, _ = played(receivers=Receivers(down=True))
    looking.ctx = stage.context()
    object.__setattr__(looking.ctx, "notifier", EventNotifier(stage.cluster, stage.clock))
    look(stage, looking, 3, DAY / 2)
    (rollout,) = rollouts(stage)
    found = {c.type: c for c in rollout.status.conditions}["NotificationsDelivered"]
    assert not rollout.status.outbox and found.status == "False" and "no answer" in found.message
    assert {e["reason"] for e in stage.cluster.list(EVENT)} == {"DeliveryFailed"}


def test_a_receiver_that_asks_for_an_age_waits_an_hour():
    receivers = Receivers(down=True)
    receivers.retry_after = 1e9
    stage, _, looking, _ = played(receivers=receivers)
    asked = receivers.asked
    look(stage, looking, 1, 1800)
    assert receivers.asked == asked
    receivers.down = False
    look(stage, looking, 2, 1900)
    assert not rollouts(stage)[0].status.outbox


def test_one_that_fails_is_tried_ever_later():
    stage, receivers, looking, _ = played(receivers=Receivers(down=True))
    asked = receivers.asked
    look(stage, looking, 720, 5)
    assert 4 * 3 <= receivers.asked - asked <= 4 * 12  # statuses, comment, chat


class Hanging(Receivers):
    """Takes every connection and never answers."""

    def __init__(self):
        super().__init__()
        self.over = threading.Event()

    def _reached(self):
        self.asked += 1
        self.over.wait(30)
        super()._reached()


def rolled_back(receivers):
    """How long a rollback takes, and how often its worker calls the cluster."""
    stage, calls = Stage(good=False), []
    if receivers is not None:
        asking(stage)
        looking = courier(stage.context(), receivers, start=BoundedThreads(8))
    counted = CountedCluster(stage.cluster, lambda *call: calls.append(call))

    def watch(state, action):
        if receivers is not None:
            looking.look(rollouts(stage))

    state = work(stage.context(counted), "first", watch=watch)
    return state.rollout.status.restored_seconds, stage.clock.now(), len(calls)


def test_a_rollback_takes_as_long_with_receivers_that_hang_as_without_any():
    hanging = Hanging()
    try:
        assert rolled_back(hanging) == rolled_back(None)
        assert hanging.asked
    finally:
        hanging.over.set()


def test_who_sends_never_holds_up_who_works():
    stage = asking(Stage())
    ctx = stage.context()
    work(ctx, "first", stop=iter([False] * 3 + [True] * 9).__next__)
    (rollout,) = rollouts(stage)
    state = read(ctx, rollout.name)
    courier(ctx, Receivers()).look(rollouts(stage))
    written = change(ctx, state, Action("pause", 0, "PausedByUser", "wait"), phase="Paused")
    assert [e.reason for e in written.status.outbox] == ["PausedByUser"]
    with pytest.raises(Exception, match="has been modified"):
        change(ctx, state, Action("pause", 0, "PausedByUser", "again"), phase="Paused")


def test_a_deleted_rollout_goes_once_it_was_told_how_it_ended():
    stage, receivers, looking, _ = played(gates=[{"wave": 1}])
    receivers.down = True
    stage.remove(ROLLOUT, rollouts(stage)[0].name)
    work(stage.context(), "second")
    assert rollouts(stage)[0].manifest["metadata"]["finalizers"] == [UNSENT]
    receivers.down = False
    look(stage, looking, 3)
    assert rollouts(stage) == []
    assert receivers.states("netpol-canary/shop")[-1] == "failure" and not receivers.pulls


def test_without_its_source_a_rollout_still_tells_what_was_frozen():
    stage, receivers, looking, _ = played(receivers=Receivers(down=True))
    del stage.cluster._objects[SOURCE, OWN, "shop"]  # as a deletion that leaves what it owned
    receivers.down = False
    look(stage, looking, 2)
    assert receivers.states("netpol-canary/shop") == ["success"] and not rollouts(stage)[0].status.outbox


def test_a_receiver_that_the_source_dropped_is_told_nothing_more():
    stage, receivers, looking, _ = played(receivers=Receivers(down=True))
    receivers.down = False
    asking(stage, feedback={**dump(FEEDBACK), "statuses": False}, notifications=[])
    look(stage, looking, 2)
    assert receivers.comments and not receivers.history and not receivers.messages
    assert not rollouts(stage)[0].status.outbox


def test_of_two_couriers_one_tells_and_the_other_goes_on_where_it_stops():
    stage, receivers = asking(Stage()), Receivers()
    ctx = stage.context()
    first, second = (courier(ctx, receivers, name) for name in ("one", "two"))

    def both(state, action):
        first.look(rollouts(stage))
        second.look(rollouts(stage))

    work(ctx, "first", watch=both, stop=lambda: receivers.asked > 6)
    asked = receivers.asked
    work(ctx, "second")
    for _ in range(40):
        stage.clock.sleep(2)
        second.look(rollouts(stage))
    assert receivers.asked > asked and not rollouts(stage)[0].status.outbox
    assert len(receivers.messages) == len(receivers.distinct())
    for statuses in receivers.history.values():
        assert all(a != b for a, b in itertools.pairwise(statuses))


def test_a_run_without_a_controller_tells_before_it_ends():
    stage, receivers = asking(Stage()), Receivers()
    ctx = stage.context()
    state = work(ctx, "first")
    telling = courier(ctx, receivers)
    assert telling.deliver(state.rollout.spec.source, 10)
    telling.close()
    assert receivers.states("netpol-canary/shop") == ["success"]
    receivers.down = True
    stage.repository.push("d", files(DENY, policy("more", {"podSelector": {}})))
    name = start(ctx, find_source(ctx, "shop")).rollout
    Embedded(ctx, "second").drive(name)
    began = stage.clock.now()
    assert not telling.deliver("shop", 10)
    assert (stage.clock.now() - began).total_seconds() < 12
    receivers.down = False
    stage.clock.sleep(60)
    assert courier(ctx, receivers, "third").deliver("shop", 200)  # what the second left behind
    assert not any(r.status.outbox for r in rollouts(stage))


def test_errands_are_bounded_and_keep_no_process_alive():
    errands, over = BoundedThreads(2), threading.Event()
    assert errands(over.wait) and errands(over.wait) and not errands(over.wait)
    assert all(t.daemon for t in threading.enumerate() if t.name == "errand")
    over.set()
    for thread in [t for t in threading.enumerate() if t.name == "errand"]:
        thread.join(ENOUGH)
    assert errands(over.wait)
