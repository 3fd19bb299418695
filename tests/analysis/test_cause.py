"""A regression is joined with the wave's diff: which connections, which rule, whose commit, with which confidence."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.analysis.agreement import agreement
from orchestrator.analysis.cause import why
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE = (
    "after, Ingress: NetworkPolicy pay/callers: no rule allows it (pay/callers.yaml:1, 4f1c2d9e01 Ann: Close)"
)
CUT = m.WaveEdge(
    source="web/web[Pod]", destination="pay/pay[Pod]", before="all", after="none", because=[RULE]
)
OPENED = m.WaveEdge(source="dev/dev[Pod]", destination="pay/pay[Pod]", before="none", after="all")
PROBE = m.WaveProbe(
    name="e", role="edge", source="web/web", destination="pay/pay", port=80, before="reach", expect="blocked"
)


def failed(namespace):
    return m.MeasurementRecord(
        metric="errors", namespace=namespace, time=NOW, phase="Failed", message=f"errors in {namespace}: many"
    )


def answers(before, after):
    return [
        m.ProbeRecord(probe="e", when="baseline", observed=before, expected="reach"),
        m.ProbeRecord(probe="e", when="after", observed=after, expected="blocked"),
    ]


def state(hurt, edges=(CUT, OPENED), probes=(), records=(), flows=(), suspects=()):
    strategy = m.Strategy()
    wave = m.Wave(namespaces=[m.WaveNamespace(name="pay", before="b", after="a")])
    spec = m.PolicyRolloutSpec(
        source="shop", revision="4f1c2d9e01" * 4, strategy=strategy, plan_digest="d", waves=[wave],
        authors=["Ann <ann@example.com>"],
    )  # fmt: skip
    rollout = load(new("PolicyRollout", "r", "n", spec))
    watching = m.WaveAnalysisSpec(
        rollout="r", wave=0, since=NOW, watched=["pay"], edges=list(edges), probes=list(probes)
    )
    status = m.WaveAnalysisStatus(
        phase="Failed", reason="errors", measurements=[failed(n) for n in hurt], probes=list(records),
        flows=list(flows), suspects=list(suspects),
    )  # fmt: skip
    analysis = load(new("WaveAnalysis", "r-0", "n", watching))
    changes = [m.Change(object="NetworkPolicy/callers", action="update", file="pay/callers.yaml:1")]
    item = m.NamespaceRolloutSpec(rollout="r", wave=0, namespace="pay", changes=changes)
    record = load(new("NamespaceRollout", "r.pay", "n", item))
    return State(rollout, {"pay": record}, {0: load(analysis.with_status(status))})


MUST = PROBE.model_copy(update={"role": "declared", "expect": "reach"})
CLOSED = answers("reach", "blocked")
# What stands in the table of docs/analysis.md, as a state: what was seen, and what the change cuts.
SEEN = {
    "a probe that had to connect does not any more": {"hurt": [], "probes": [MUST], "records": CLOSED},
    "something failed where the connection starts, and probes saw it close": {
        "hurt": ["web"],
        "probes": [PROBE],
        "records": CLOSED,
    },
    "something failed at one of its ends": {"hurt": ["web"]},
    "something failed in a namespace that the wave wrote": {"hurt": ["pay"]},
    "something failed elsewhere": {"hurt": ["far"]},
    "nothing but what was planned": {"hurt": [], "probes": [PROBE], "records": CLOSED},
}
CUTS = {"it": [CUT, OPENED], "none there": [OPENED]}


def table():
    text = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text()
    _, _, rest = text.partition("| seen | the change cuts | confidence |\n|---|---|---|\n")
    lines = itertools.takewhile(lambda line: line.startswith("|"), rest.splitlines())
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_the_table_says_something_of_each_case():
    assert {row[0] for row in table()} == set(SEEN) and len(table()) == 7


@pytest.mark.parametrize(("seen", "cuts", "sure"), table())
def test_how_sure_it_is_follows_from_the_table_in_the_documentation(seen, cuts, sure):
    assert why(state(edges=CUTS[cuts], **SEEN[seen]), 0).confidence == sure


def test_what_was_planned_and_hurts_nobody_is_no_cause():
    found = why(state(["far"], probes=[PROBE], records=CLOSED), 0)
    assert found.edges == () and "none of those that the change cuts fits" in found.lines[1]


def test_a_connection_that_only_gained_ports_was_not_lost():
    more = m.WaveEdge(source="web/web[Pod]", destination="pay/pay[Pod]", before="TCP 80", after="TCP 80,443")
    assert why(state(["web"], edges=[more]), 0).edges == ()
    less = more.model_copy(update={"before": "TCP 80-90,UDP 53", "after": "TCP 80"})
    assert why(state(["web"], edges=[less]), 0).edges == (less,)


def test_a_metric_that_decides_nothing_hurts_nobody():
    found = state(["web"])
    metric = m.MetricSpec(name="errors", dry_run=True)
    strategy = m.Strategy(analysis=m.Analysis(metrics=[metric]))
    spec = found.rollout.spec.model_copy(update={"strategy": strategy})
    rollout = load(new("PolicyRollout", "r", "n", spec))
    assert why(State(rollout, found.namespaces, found.analyses), 0).confidence == "unclear"


def test_a_namespace_that_is_gone_is_neither_cause_nor_put_back():
    found = state(["web"])
    item = found.namespaces["pay"]
    gone = load(item.with_status(item.status.model_copy(update={"phase": "Deleted"})))
    ended = found.rollout.status.model_copy(
        update={"phase": "RolledBack", "waves_started": 1, "restored_seconds": 0.5}
    )
    rollout = load(found.rollout.with_status(ended))
    told = why(State(rollout, {"pay": gone}, found.analyses), 0)
    assert told.edges == () and "pay/NetworkPolicy" not in told.lines[2]
    assert told.lines[4].startswith("nothing is left to restore: pay was deleted meanwhile")


def test_the_connections_the_rule_the_file_the_commit_and_its_author_are_named():
    lines = why(state(["web"]), 0).lines
    assert lines[1] == "web/web to pay/pay (all, now none)"
    assert "pay/callers.yaml:1, 4f1c2d9e01 Ann: Close" in lines[2]
    said = "wave 0 changed pay/NetworkPolicy/callers (pay/callers.yaml:1), commit 4f1c2d9e01 by Ann"
    assert said in lines[2]
    assert len(why(state(["web"]), 0).text.splitlines()) == 5


def test_other_suspects_are_named():
    told = why(state(["web"], suspects=["Deployment web/web was rolled out at 09:58:12"]), 0)
    assert "also suspect: Deployment web/web was rolled out at 09:58:12" in told.lines[3]


def test_a_wave_that_was_not_watched_has_no_why():
    assert why(state(["web"]), 1) is None


@pytest.mark.parametrize(
    ("edge", "flow", "alarm"),
    [
        (CUT, {"forwarded": 3}, "should be cut, and traffic still passes"),
        (CUT, {"dropped": 3}, ""),
        (OPENED, {"dropped": 3}, "should be open, and traffic is dropped"),
        (OPENED, {"forwarded": 3, "dropped": 1}, ""),
    ],
)
def test_traffic_that_contradicts_the_prediction_is_an_alarm(edge, flow, alarm):
    ends = [e.partition("[")[0] for e in (edge.source, edge.destination)]
    seen = m.ObservedFlow(source=ends[0], destination=ends[1], **flow)
    found = state([], edges=[edge], flows=[seen]).analyses[0]
    (row,) = agreement(found.spec, found.status)
    assert (alarm in row.alarm) if alarm else not row.alarm
    assert row.seen
