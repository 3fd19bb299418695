"""Sources are looked at several at once: one that hangs, fails or is slow is nobody else's trouble."""

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from beside import Failing
from patience import ENOUGH, eventually
from stage import OWN, SPACES, Inline, Rounds, Stage

from orchestrator.context import SOURCE
from orchestrator.engine.abreast import MOST_FAILING, MOST_LOOKS
from orchestrator.engine.controller import LEASE, Controller
from orchestrator.errors import RepositoryError, Unreachable
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load


class Hanging:
    """Repositories that say nothing until they are let go; `asked` counts the questions of each source."""

    def __init__(self):
        self.asked, self.let_go = Counter(), threading.Event()

    def of(self, name):
        def resolve(ref=""):
            self.asked[name] += 1
            assert self.let_go.wait(ENOUGH)
            raise RepositoryError("the host said nothing")

        return type("Silent", (), {"resolve": staticmethod(resolve)})()


class Held:
    """A pool whose threads are all busy until `run`."""

    def __init__(self):
        self.waiting = []

    def submit(self, work):
        future = Future()
        self.waiting.append((future, work))
        return future

    def run(self):
        given, self.waiting = self.waiting, []
        for future, work in given:
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)
        return len(given)


def beside(stage, others, repository, **more):
    """A controller that looks at these sources before the stage's own; `repository` gives theirs by name."""
    for name in others:
        stage.source(name, git=m.Git(url=f"/{name}"), namespaces=m.NamespaceScope(names=["cart"]))
    ctx = replace(
        stage.context(), repository=lambda s: repository(s.name) if s.name in others else stage.repository
    )
    rounds = Rounds(stage)
    rounds.controller = Controller(ctx, "one", rounds.instruments, poll_seconds=30, **more)
    return rounds


def ready(stage, name):
    found = load(stage.cluster.get(SOURCE, name, OWN)).status.conditions
    return next((c.reason for c in found if c.type == "Ready"), None)


def test_a_source_whose_repository_hangs_keeps_no_other_from_being_rolled_out():
    stage, hanging = Stage(), Hanging()
    rounds = beside(stage, ["a-first"], hanging.of)

    def another_round(pool):
        stage.clock.sleep(60)
        rounds.controller.tick(Inline(), pool)
        return rounds.rollouts() == {"shop-cccccccccc": "Succeeded"}

    with ThreadPoolExecutor(MOST_LOOKS) as pool:
        try:
            eventually(lambda: another_round(pool))
            eventually(lambda: hanging.asked["a-first"])
            for _ in range(5):
                another_round(pool)
            assert hanging.asked["a-first"] == 1  # one look at a time, however long it takes
            assert all(found == ["allow", "deny"] for found in stage.names().values())
        finally:
            hanging.let_go.set()
    assert ready(stage, "a-first") == "Unavailable"


def test_what_waits_for_a_thread_is_not_asked_for_again():
    stage, pool = Stage(), Held()
    rounds = beside(stage, ["a", "b"], lambda name: Failing(RepositoryError("no")))
    for _ in range(4):
        stage.clock.sleep(60)
        rounds.controller.tick(Inline(), pool)
    assert pool.run() == 3
    stage.clock.sleep(60)
    rounds.controller.tick(Inline(), pool)
    assert rounds.rollouts() and pool.waiting


def test_sources_that_fail_leave_threads_to_the_others_however_many_they_are():
    stage, pool = Stage(), Held()
    names = [f"a{n}" for n in range(3 * MOST_LOOKS)]
    rounds = beside(stage, names, lambda name: Failing(RepositoryError("the host said nothing")))
    rounds.controller.tick(Inline(), pool)
    assert pool.run() == len(names) + 1
    stage.clock.sleep(3600)
    rounds.controller.tick(Inline(), pool)
    assert len(pool.waiting) == MOST_FAILING + 1
    seen = set()
    for _ in range(len(names)):  # each has its turn
        pool.run()
        stage.clock.sleep(1)
        rounds.controller.tick(Inline(), pool)
        seen |= {name for name in names if ready(stage, name) == "Unavailable"}
    assert seen == set(names)


def test_a_shutdown_frees_the_lease_and_begins_nothing_while_hosts_are_silent():
    stage, hanging, stop = Stage(), Hanging(), threading.Event()
    names = [f"a{n}" for n in range(3 * MOST_LOOKS)]
    rounds = beside(stage, names, hanging.of, stop=stop.is_set)

    def holder():
        found = stage.cluster.get(Kind("coordination.k8s.io/v1", "Lease"), LEASE, OWN)
        return found["spec"].get("holderIdentity")

    serving = threading.Thread(target=rounds.controller.serve, daemon=True)
    serving.start()
    try:
        eventually(lambda: sum(hanging.asked.values()) == MOST_LOOKS)
        assert holder() == "one"
        stop.set()
        eventually(lambda: not holder())  # another replica goes on, though the hosts are still waited for
    finally:
        stop.set()
        hanging.let_go.set()
    serving.join(ENOUGH)
    assert not serving.is_alive()
    assert sum(hanging.asked.values()) == MOST_LOOKS and rounds.rollouts() == {}


def test_a_source_that_goes_while_it_is_looked_at_is_nobodys_fault():
    stage, pool = Stage(), Held()
    rounds = beside(stage, ["a"], lambda name: Failing(RepositoryError("no")))
    rounds.controller.tick(Inline(), pool)
    stage.remove(SOURCE, "a")
    rounds.controller.tick(Inline(), pool)
    pool.run()
    rounds.controller.tick(Inline(), pool)
    assert rounds.instruments.faults.labels("source")._value.get() == 0


def test_that_the_api_server_was_out_of_reach_for_a_look_ends_a_round_and_no_look():
    stage, pool = Stage(), Held()
    rounds = beside(stage, ["a"], lambda name: Failing(KeyError("never asked")))
    rounds.controller.tick(Inline(), pool)
    known = stage.cluster.list, stage.cluster.get
    stage.cluster.list = stage.cluster.get = unreachable
    pool.run()
    stage.cluster.list, stage.cluster.get = known
    stage.clock.sleep(60)
    with pytest.raises(Unreachable):
        rounds.controller.tick(Inline(), pool)
    pool.run()
    for _ in range(3):
        stage.clock.sleep(60)
        rounds.controller.tick(Inline(), pool)
        pool.run()
    assert rounds.rollouts() == {"shop-cccccccccc": "Succeeded"}
    assert set(stage.names()) == set(SPACES)


def unreachable(*args, **more):
    raise Unreachable("the API server does not answer")
