"""Pods begin when Argo gets to them: looks whose time is over by then are moved, where nobody answers for the past."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from stage import OWN, SPACES, check, work
from stand_in import Theatre

from orchestrator.context import ANALYSIS
from orchestrator.errors import MetricError
from orchestrator.ports import Sample
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load
from orchestrator.rollout.timing import begun_later, settled_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
METRIC = {"name": "endpoints", "query": "endpoints", "minimum": 1}


class Gauge:
    """One ready endpoint everywhere; `asked` has the times asked for, and how many seconds ago they were by then."""

    def __init__(self):
        self.clock, self.asked = None, []

    def query(self, expression, at):
        self.asked.append((at, (self.clock.now() - at).total_seconds()))
        return [Sample({"namespace": n}, 1.0, at) for n in SPACES]

    def query_range(self, expression, start, end, step):
        raise MetricError("it has no history")


class Late(Theatre):
    """Argo gets to the readers of a wave so many seconds after they could begin."""

    late = 90.0

    def _begin(self, argv, env, name):
        pod = super()._begin(argv, env, name)
        if pod.step in ("analyze", "verdict"):
            pod._due += timedelta(seconds=self.late)
        return pod


def late(provider, looks=2):
    gauge = Gauge()
    metrics = [m.MetricSpec(provider=provider, **METRIC)]
    theatre = Late(metrics=gauge, analysis={"metrics": metrics, "count": looks}, shard_size=1)
    gauge.clock = theatre.stage.clock
    return theatre, gauge


def oldest(theatre, gauge):
    """How late a look was at most; the time before a change is asked for beside each."""
    before = {load(o).spec.since for o in theatre.stage.cluster.list(ANALYSIS, OWN)}
    return max(age for at, age in gauge.asked if at not in before)


@pytest.mark.parametrize("provider", ["kubernetes", "prometheus"])
def test_readers_that_begin_late_look_from_then_on(provider):
    theatre, gauge = late(provider)
    state = work(theatre.stage.context(), "engine", **theatre.engine())
    check(theatre.stage, theatre.before, state)
    assert oldest(theatre, gauge) < 10


@pytest.mark.parametrize(("provider", "made_up_for"), [("kubernetes", False), ("prometheus", True)])
def test_looks_that_a_lost_workflow_missed_are_made_up_for_where_the_past_is_known(provider, made_up_for):
    theatre, gauge = late(provider, looks=10)
    done = []

    def look(now):
        found = [load(o) for o in theatre.stage.cluster.list(ANALYSIS, OWN)]
        if not done and any(a.status.checks for a in found):
            done.append(now)
            theatre.argo.delete(theatre.argo.names()[0])

    theatre.on_round.append(look)
    state = work(theatre.stage.context(), "engine", **theatre.engine())
    check(theatre.stage, theatre.before, state)
    assert done and (oldest(theatre, gauge) > 60) == made_up_for


def settles(declared, until, started_at=None):
    """A wave that was written at NOW, settles for ten minutes, of which four are needed, and an emergency (in seconds)."""
    analysis = m.Analysis(metrics=[m.MetricSpec(**METRIC)], window_seconds=300, interval_seconds=60)
    strategy = m.Strategy(settle_seconds=600, analysis=analysis)
    at, end = (NOW + timedelta(seconds=n) for n in (declared, until))
    emergency = m.EmergencyDeclared(user="mia", at=at, until=end, skips=["waits"])
    wave = SimpleNamespace(
        spec=SimpleNamespace(since=NOW), status=SimpleNamespace(started_at=started_at, phase="Running")
    )
    rollout = SimpleNamespace(
        spec=SimpleNamespace(strategy=strategy), status=SimpleNamespace(emergency=emergency)
    )
    return SimpleNamespace(rollout=rollout, analyses={0: wave}, in_wave=lambda number: [])


@pytest.mark.parametrize(
    ("declared", "until", "looks"),
    [
        (-50, 100, 280),  # it ran out while the wave settled
        (-50, 1000, 280),
        (400, 1000, 440),  # declared while the wave settled
        (-500, -100, 640),
        (-50, 30, 640),  # it ran out before the looks could be moved to: the whole time, and never less
    ],
)
def test_looks_of_a_wave_under_an_emergency_are_moved_by_as_much(declared, until, looks):
    start = begun_later(settles(declared, until), 0, timedelta(seconds=40))
    assert settled_at(settles(declared, until, start), 0) - NOW == timedelta(seconds=looks)
