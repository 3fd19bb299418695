"""A wave watches what it changes and whoever its connections touch; the strategy adds to that."""

import pytest
from stage import Stage, files, policy
from watched_canary import first_wave
from written import plain

from orchestrator.errors import Forbidden
from orchestrator.measure import watch_set as watchset
from orchestrator.measure.observers import POD
from orchestrator.measure.watch_set import watch_set
from orchestrator.planning import forecast
from orchestrator.ports import Commit
from orchestrator.rollout.resources import model as m

FROM_WEB = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "web"}}}
ONLY_WEB = policy("only-web", {"podSelector": {}, "ingress": [{"from": [FROM_WEB]}]}, "cart")


@pytest.fixture
def stage():
    found = Stage(analysis={"probes": [], "watch": ["billing"]})
    for space in ("far", "billing"):
        found.cluster.create(plain("Namespace", space))
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    found.cluster.create(policy("closed", closed, "far"))
    for space in ("cart", "pay", "web", "far", "billing"):
        found.pod(space)
    found.repository.push("d", files(ONLY_WEB))
    return found


def test_namespaces_whose_connections_are_touched_are_watched_beside_those_that_change(stage):
    found = watch_set(*first_wave(stage), 0, True)
    assert found.watched[0] == "cart"
    assert "pay" in found.watched and "web" not in found.watched


def test_the_strategy_adds_to_the_watch_set_and_replaces_nothing(stage):
    found = watch_set(*first_wave(stage), 0, True)
    assert {"cart", "billing", "pay"} <= set(found.watched)


def test_controls_have_no_connection_to_what_changes(stage):
    assert watch_set(*first_wave(stage), 0, True).controls == ["far"]


def test_each_connection_names_rule_file_and_commit(stage):
    stage.repository.commits = lambda since, until: [
        Commit("d" * 40, ("Ann <ann@example.com>",), "Close cart", ("all.yaml",))
    ]
    (edge,) = [e for e in watch_set(*first_wave(stage), 0, True).edges if e.source.startswith("pay/")]
    assert (edge.destination, edge.before, edge.after) == ("cart/a[Pod]", "all", "none")
    assert any("all.yaml:1, dddddddddd Ann: Close cart" in b for b in edge.because)


def test_without_a_prober_only_declared_probes_are_planned(stage):
    ctx, state = first_wave(stage)
    assert watch_set(ctx, state, 0, False).probes == []
    roles = {p.role for p in watch_set(ctx, state, 0, True).probes}
    assert {"edge", "mustPass"} <= roles


@pytest.mark.parametrize("why", ["forbidden", "too many"])
def test_where_the_connections_are_not_known_it_says_so(stage, monkeypatch, why):
    ctx, state = first_wave(stage)
    if why == "too many":
        monkeypatch.setattr(forecast, "MOST_WORK", 1)
    else:
        monkeypatch.setattr(
            watchset, "documents", lambda cluster: (_ for _ in ()).throw(Forbidden("no pods"))
        )
    found = watch_set(ctx, state, 0, True)
    assert found.watched == ["cart", "billing"] and found.controls == ()
    assert "who is connected is not known" in found.notes[0]


def test_a_declared_control_becomes_one_of_the_wave(stage):
    ctx, state = first_wave(stage)
    probe = m.ProbeSpec(
        name="c", source="far/a", destination="cart/a", port=80, expect="blocked", control=True
    )
    analysis = m.Analysis(probes=[probe])
    spec = state.rollout.spec
    spec.strategy = spec.strategy.model_copy(update={"analysis": analysis})
    assert watch_set(ctx, state, 0, True).probes[0].role == "mustNotPass"


def test_workloads_whose_names_are_as_long_as_they_may_be_stay_apart(stage):
    """Two whose names differ in the last character only: each has its connections and its probes."""
    spec = stage.cluster.get(POD, "a", "web")["spec"]
    for last in "xy":
        stage.cluster.create(plain("Pod", f"web/{'w' * 252}{last}", spec, {"app": "a"}))
    found = watch_set(*first_wave(stage), 0, True)
    ends = {f"web/{'w' * 252}{last}" for last in "xy"}
    probed = [p for p in found.probes if {p.source, p.destination} & ends]
    assert ends <= {e for p in probed for e in (p.source, p.destination)}
    assert len({p.name for p in found.probes}) == len(found.probes)
