"""The connections of a plan are frozen with it: the worst of every wave, each with its wave, and how many there are."""

import json
from dataclasses import replace

import pytest
import yaml
from crossing import PORTS, asked, crossing, into, out

from orchestrator.context import read
from orchestrator.operations.start import start
from orchestrator.planning.forecast import forecast
from orchestrator.planning.frozen.frozen_connections import edge, wave_of, worst
from orchestrator.planning.planner import plan
from orchestrator.policy.impact.risk import RiskRules
from orchestrator.policy.network.outside import Row
from orchestrator.policy.objects import port_sets
from orchestrator.ports import Files
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import dump
from orchestrator.rollout.resources.weight import weight
from orchestrator.steps import snapshot

WEB = port_sets.span("TCP", 80, 80)
BOTH = WEB | port_sets.span("TCP", 443, 443)
OTHER = port_sets.span("TCP", 8080, 8080)
WAVES = {"cart": 0, "pay": 1, "web": 2}


def frozen(limit=100):
    found = asked(crossing())
    return worst(found.changes, found.impact, RiskRules(), {"cart": 0, "pay": 1, "web": 1}, limit)


def test_what_opens_to_the_internet_stands_first_and_names_its_rule_and_line():
    first = frozen().shown[0]
    assert (first.source, first.destination, first.change) == ("internet", "cart/a[Pod]", "widened")
    assert "after, Ingress: NetworkPolicy cart/into ingress[0] (all.yaml:3)" in first.because


def test_a_rule_has_its_own_line_and_the_file_its_path_from_the_repositorys_root():
    stage = crossing()
    found = Files(
        {"all.yaml": yaml.safe_dump_all([into("cart"), out("pay", PORTS)], sort_keys=False).encode()}
    )
    found.below = "deploy/net/"
    stage.repository.push("e", found)
    made = plan(stage.context(), stage.shop(), "e" * 40)
    (text,) = {
        b
        for c in forecast(stage.context(), made, stage.shop().spec.strategy, found).changes
        for b in c.because
        if "after, Ingress: NetworkPolicy cart/into" in b
    }
    line = 1 + found["all.yaml"].decode().splitlines().index("  ingress:") + 1
    assert text == f"after, Ingress: NetworkPolicy cart/into ingress[0] (deploy/net/all.yaml:{line})"


def test_every_wave_has_its_share_of_the_room_and_counts_what_is_beyond_it():
    found = frozen(2)
    assert [e.wave for e in found.shown] == [0, 1] and dict(found.counts) == {0: 2, 1: 4}
    assert [e.wave for e in frozen().shown] == [0, 0, 1, 1, 1, 1]


def row(before, after, *sides, src="cart/a[Pod]", dst="web/a[Pod]"):
    because = tuple(f"after, {side}: NetworkPolicy x/y" for side in sides)
    return Row("changed", src, dst, before, after, because, "", False)


@pytest.mark.parametrize(
    ("found", "wave"),
    [
        (row(0, WEB, "Egress", "Ingress"), 2),  # open once both ends let it pass
        (row(WEB, 0, "Egress", "Ingress"), 0),  # cut as soon as one does not
        (row(0, WEB, "Egress"), 0),  # the other end changes something else
        (row(WEB, 0, "Ingress"), 2),
        (row(WEB, 0), 0),  # a workload that goes: no rule is named
        (row(0, WEB, "Ingress", src="internet"), 2),
        (row(0, WEB, "Egress", src="other/x[Pod]"), 2),
    ],
)
def test_a_connection_belongs_to_the_wave_with_which_it_changes(found, wave):
    assert wave_of(found, WAVES) == wave


@pytest.mark.parametrize(
    ("before", "after", "used", "said"),
    [
        (0, WEB, WEB, "opened"),
        (WEB, 0, WEB, "cut"),
        (WEB, BOTH, WEB, "widened"),
        (WEB, BOTH, 0, "widened"),
        (BOTH, WEB, WEB, "narrowed"),
        (BOTH, WEB, BOTH, "cut"),
        (WEB, BOTH & ~WEB, WEB, "opened and cut"),  # another one instead
        (BOTH, WEB | OTHER, BOTH, "widened and cut"),
        (BOTH, WEB | OTHER, WEB, "widened and narrowed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_happens_is_said_in_the_words_of_diff(before, after, used, said):
    frozen = edge("a/x[Pod]", "b/y[Pod]", replace(row(before, after), used=used), ())
    assert frozen.change == said == " and ".join(replace(row(before, after), used=used).words)


def test_a_rollout_freezes_them_with_the_subject_of_its_newest_commit():
    stage = crossing()
    ctx = stage.context()
    spec = read(ctx, start(ctx, stage.shop()).rollout).rollout.spec
    assert spec.subject == "change" and sum(w.connections for w in spec.waves) == len(spec.edges) == 6
    assert json.dumps(dump(spec)).count("all.yaml:") >= 6


def test_a_rollout_that_has_no_room_for_them_keeps_the_counts_alone(monkeypatch):
    stage = crossing()
    ctx = stage.context()
    whole = read(ctx, start(ctx, stage.shop()).rollout).rollout.spec
    bare = whole.model_copy(update={"edges": []})
    monkeypatch.setattr(snapshot, "MOST_BYTES", weight(dump(bare)) + 10)
    again = crossing()
    ctx = again.context()
    spec = read(ctx, start(ctx, again.shop()).rollout).rollout.spec
    assert spec.edges == [] and [w.connections for w in spec.waves] == [w.connections for w in whole.waves]
    assert spec.waves[0].connections


def test_a_rollout_of_an_older_version_is_read_without_them():
    assert m.Wave(namespaces=[]).connections == 0 and m.WaveEdge(source="a", destination="b").change == ""
