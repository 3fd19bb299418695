"""Events say when to look again, to so many readers and for so long."""

import asyncio
import threading

from orchestrator.context import ROLLOUT
from orchestrator.errors import Unreachable
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.server.pages import changes as watching
from orchestrator.server.pages import live_events
from orchestrator.server.pages.changes import Changes

OWN = "netpol-canary"
BOUND = 10.0


def cluster():
    found = MemoryCluster(SimulatedClock())
    found.strict = False  # the rollouts here are names alone
    found.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN}})
    return found


def rollout(name):
    meta = {"name": name, "namespace": OWN}
    return {"apiVersion": ROLLOUT.api_version, "kind": ROLLOUT.kind, "metadata": meta, "spec": {}}


def until(true):
    """Waits for another thread, within a bound."""
    tries = threading.Event()
    for _ in range(int(BOUND / 0.01)):
        if true():
            return True
        tries.wait(0.01)
    return False


def test_a_change_counts_for_its_rollout_and_for_everything(monkeypatch):
    monkeypatch.setattr(watching, "WATCH_SECONDS", 0.05)
    there = cluster()
    changes = Changes(there, SimulatedClock(), OWN)
    with changes:
        there.create(rollout("one"))
        assert until(lambda: changes.count("one") == 1 and changes.count("") == 1)
        assert changes.count("two") == 0
    assert until(lambda: not changes._threads), "the watches end with the last reader"


def test_an_outage_is_borne_and_then_changes_are_told_again(monkeypatch):
    monkeypatch.setattr(watching, "WATCH_SECONDS", 0.05)
    there, failing = cluster(), [True]

    class Shaky:
        def watch(self, *args, **given):
            if failing:
                raise Unreachable("no")
            return there.watch(*args, **given)

    changes = Changes(Shaky(), SimulatedClock(), OWN)
    with changes:
        there.create(rollout("one"))
        failing.clear()
        assert until(lambda: changes.count("one") == 1)


class Told:
    """Changes without a cluster: the count grows with each look."""

    readers = 0

    def __init__(self, counts):
        self._counts = iter(counts)

    def __enter__(self):
        self.readers += 1

    def __exit__(self, *error):
        self.readers -= 1

    def count(self, name):
        return next(self._counts)


def stream(changes):
    async def all_of_it():
        return [text async for text in live_events.told(changes, "one")]

    return asyncio.run(all_of_it())


def test_a_stream_tells_each_change_once_and_ends(monkeypatch):
    monkeypatch.setattr(live_events, "LOOK_SECONDS", 0)
    monkeypatch.setattr(live_events, "MOST_LOOKS", 4)
    changes = Told([0, 0, 3, 3, 4])
    told = stream(changes)
    assert [t for t in told if t.startswith("event")] == [
        "event: changed\ndata: 3\n\n",
        "event: changed\ndata: 4\n\n",
    ]
    assert changes.readers == 0


def test_more_readers_than_the_bound_are_sent_away(waiting, monkeypatch):
    monkeypatch.setattr(live_events, "MOST_STREAMS", 0)
    answer = waiting.get("/events")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "60"


def test_events_of_a_rollout_that_one_may_not_see_are_not_told(waiting):
    assert waiting.get("/events?of=other").status_code == 404


def test_one_person_holds_so_many_streams(monkeypatch):
    monkeypatch.setattr(live_events, "LOOK_SECONDS", 0)
    open_now = live_events.Counter()

    async def half():
        stream = live_events.counted(open_now, "ben", live_events.told(Told(range(9)), ""))
        await anext(stream)
        assert open_now["ben"] == 1
        await stream.aclose()

    asyncio.run(half())
    assert "ben" not in open_now
