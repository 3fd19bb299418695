"""A source is looked at in intervals, at once when asked, and less often while what is outside fails."""

from datetime import timedelta
from itertools import pairwise

import pytest
from stage import DENY, OWN, Inline, Rounds, Stage, files

from orchestrator.context import NAMESPACE, SOURCE
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.engine.poll_rounds import Polling
from orchestrator.errors import RepositoryError
from orchestrator.operations import poll
from orchestrator.rollout.polling import JITTER, REQUESTED_AT


@pytest.fixture
def stage():
    return Stage()


def looks(stage, polling, seconds, failed=False):
    """When a source is looked at within so many seconds of rounds of one second."""
    start, times = stage.clock.now(), []
    for _ in range(seconds):
        stage.clock.sleep(1)
        source = stage.shop()
        if polling.begins(source, stage.clock.now()):
            times.append((stage.clock.now() - start).total_seconds())
            polling.ended(source, failed)
    return times


def gaps(times):
    return [b - a for a, b in pairwise(times)]


def test_the_interval_is_kept_with_jitter(stage):
    found = gaps(looks(stage, Polling(30), 3600))
    assert len(set(found)) > 3
    assert all(30 * (1 - JITTER) <= gap <= 30 * (1 + JITTER) + 1 for gap in found)


def test_a_clock_that_is_set_back_holds_up_no_look(stage):
    polling, source, now = Polling(30), stage.shop(), stage.clock.now()
    assert polling.begins(source, now)
    assert not polling.begins(source, now + timedelta(seconds=1))
    assert polling.begins(source, now - timedelta(hours=1))
    assert not polling.begins(source, now - timedelta(hours=1) + timedelta(seconds=1))


def test_errors_double_it_up_to_a_bound_and_success_resets_it(stage):
    polling = Polling(10, most=60)
    found = gaps(looks(stage, polling, 600, failed=True))
    assert [round(gap / 10) for gap in found[:2]] == [2, 4] and 53 <= min(found[3:]) <= max(found) <= 67
    looks(stage, polling, 70)
    assert max(gaps(looks(stage, polling, 200))) <= 12


def test_a_request_is_answered_at_once_and_forgets_the_errors(stage):
    polling = Polling(10, most=3600)
    looks(stage, polling, 250, failed=True)
    assert looks(stage, polling, 5, failed=True) == []
    poll.look(stage.context(), "shop")
    assert looks(stage, polling, 5, failed=True) == [1]
    assert looks(stage, polling, 40, failed=True)[0] <= 23


def test_any_other_value_asks_since_clocks_elsewhere_may_be_wrong(stage):
    polling = Polling(3600)
    looks(stage, polling, 1)
    for value in ("2001-01-01T00:00:00Z", "now please"):
        fresh = stage.cluster.get(SOURCE, "shop", OWN)
        fresh["metadata"]["annotations"] = {REQUESTED_AT: value}
        stage.cluster.replace(fresh)
        assert looks(stage, polling, 5) == [1]


def test_a_changed_source_is_looked_at_at_once(stage):
    polling = Polling(3600)
    looks(stage, polling, 1)
    stage.change(suspend=True)
    assert looks(stage, polling, 5) == [1]


def test_the_controller_rolls_out_what_it_is_woken_for_before_the_interval_is_over(stage):
    rounds = Rounds(stage)
    rounds.controller = Controller(stage.context(), "one", Instruments(), poll_seconds=3600)
    rounds.go(5)
    stage.repository.push("d", files(DENY))
    assert list(rounds.go(5)) == ["shop-cccccccccc"]
    poll.look(stage.context(), "shop")
    stage.clock.sleep(3)
    rounds.controller.tick(Inline())
    assert list(rounds.rollouts()) == ["shop-cccccccccc", "shop-dddddddddd"]


def test_a_repository_that_fails_is_asked_less_often(stage):
    rounds, asked = Rounds(stage), []

    def resolve(ref=""):
        asked.append(stage.clock.now())
        raise RepositoryError("git says: no")

    stage.repository.resolve = resolve
    rounds.go(60)
    assert len(asked) < 15
    assert max(b - a for a, b in pairwise(asked)) <= timedelta(seconds=720)
    assert rounds.condition().reason == "Unavailable"


def test_idle_sources_share_one_list_of_the_namespaces_in_a_round(stage, monkeypatch):
    """A thousand of them listed a thousand namespaces three times each: what a round costs grew with the square."""
    rounds, listed, every = Rounds(stage), [], stage.cluster.list
    assert rounds.go() == {"shop-cccccccccc": "Succeeded"}
    monkeypatch.setattr(
        stage.cluster, "list", lambda kind, *given, **more: listed.append(kind) or every(kind, *given, **more)
    )
    rounds.go(1)
    alone = listed.count(NAMESPACE)
    for number in range(5):
        stage.source(f"more-{number}", suspend=True)
    listed.clear()
    rounds.go(1)
    assert listed.count(NAMESPACE) == alone == 1


def test_a_namespace_that_comes_between_two_rounds_is_seen_in_the_next(stage):
    rounds = Rounds(stage)
    rounds.go()
    meta = {"name": "late", "labels": {"team": "shop"}}
    stage.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    assert any(name != "shop-cccccccccc" for name in rounds.go(1))
