"""What is known of a change before it is written, and what a source makes of it."""

import json
from dataclasses import replace

import pytest
from crossing import PORTS, asked, crossing, out
from faulty_port import FaultyPort, just_before
from stage import Stage, files, policy

from orchestrator.context import ROLLOUT
from orchestrator.errors import Forbidden, Refused
from orchestrator.operations.start import find_source, start
from orchestrator.planning.forecast import forecast, frozen
from orchestrator.planning.planner import plan
from orchestrator.policy.impact.risk import Risk
from orchestrator.rollout.resources import model as m


def test_a_connection_that_is_open_between_waves_only_is_named_with_an_order_that_avoids_it():
    found = asked(crossing())
    assert [b.text for b in found.lasting] == [
        "pay/a[Pod] to cart/a[Pod] on SCTP,TCP 1-79,81-65535,UDP opens from wave 0 until wave 1 (closed before and after)"
    ]
    assert found.proposal.text.startswith("this avoids it: move") and found.proposal.moved
    assert found.risk.level == "high" and "newly open to the internet" in found.risk.reasons[0]


@pytest.mark.parametrize(("boundaries", "gates"), [("ask", [0]), ("proceed", [])])
def test_a_source_asks_or_goes_on(boundaries, gates):
    stage = crossing(boundaries=boundaries)
    ctx = stage.context()
    name = start(ctx, find_source(ctx, "shop")).rollout
    spec = stage.cluster.get(ROLLOUT, name, "netpol-canary")["spec"]
    assert [g["wave"] for g in spec["strategy"]["gates"]] == gates
    assert spec["risk"] == "high" and len(spec["boundaries"]) == 1


def test_a_source_refuses_and_nothing_is_written():
    stage = crossing(boundaries="refuse")
    before, ctx = stage.standing(), stage.context()
    with pytest.raises(Refused, match=r"between waves, pay/a\[Pod\] to cart/a\[Pod\].*this avoids it"):
        start(ctx, find_source(ctx, "shop"))
    assert stage.standing() == before and not stage.cluster.list(ROLLOUT)


def test_gates_count_from_their_risk_on():
    gates = [m.Gate(wave=0, min_risk="high"), m.Gate(wave=1, min_risk="low"), m.Gate(wave=2)]
    quiet = Stage(gates=gates)
    found = asked(quiet, "c")
    assert found.risk.level == "none"
    assert [g.wave for g in frozen(found, quiet.strategy).gates] == [2]
    loud = crossing(gates=gates)
    assert [g.wave for g in frozen(asked(loud), loud.strategy).gates] == [0, 1, 2]
    kinds = [
        m.Gate(wave=0, risks=["internet"]),
        m.Gate(wave=1, risks=["dns"]),
        m.Gate(wave=1, risks=["scrape", "many"]),
    ]
    assert [g.risks for g in frozen(asked(loud), m.Strategy(gates=kinds)).gates] == [["internet"], ["dns"]]
    assert frozen(found, m.Strategy(gates=kinds)).gates == []
    calm = crossing(risk={"internet": "low", "opened": "low", "cut": "low", "dns": "low", "many": 1000})
    assert asked(calm).risk.level == "low"


def test_a_gate_may_ask_for_what_is_only_narrowed():
    quiet = asked(Stage(), "c")

    def gates(*words):
        found = replace(quiet, risk=Risk("low", (), words))
        wanted = m.Strategy(
            gates=[m.Gate(wave=0, risks=["narrowed"]), m.Gate(wave=1, risks=["cut", "opened", "widened"])]
        )
        return [g.wave for g in frozen(found, wanted).gates]

    assert (gates("narrowed"), gates("cut"), gates("widened", "narrowed")) == ([0], [1], [0, 1])


def test_what_cannot_be_known_is_said_and_counts_as_high():
    stage = crossing()
    shut = FaultyPort(stage.cluster, just_before(Forbidden("pods is forbidden"), "list", kind="Pod"))
    ctx = stage.context(shut)
    made = plan(ctx, stage.shop(), "d" * 40)
    found = forecast(ctx, made, stage.strategy, stage.repository.files("d" * 40))
    assert found.risk.level == "high" and "the pods cannot be listed" in found.unknown
    every = m.Strategy(gates=[m.Gate(wave=0, risks=["ownPath"])])
    assert frozen(found, every).gates == every.gates


def test_a_plan_shows_it():
    from orchestrator.cli.rollouts.plan_printed import forecast_facts, told

    found = asked(crossing())
    lines = list(told(found))
    assert any(line.startswith("between waves: pay/a[Pod] to cart/a[Pod]") for line in lines)
    assert any(line.startswith("this avoids it: move") for line in lines)
    assert any(line.startswith("probes: ") and "that change" in line for line in lines)
    data = json.loads(json.dumps(forecast_facts(found)))
    assert data["risk"]["level"] == "high" and len(data["boundaries"]) == 1 and data["proposal"]["waves"]


INTENTS = b"""apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: t}
spec:
  intents:
  - {name: web stays, expect: reach, from: {namespace: web}, to: {namespace: cart}, ports: [{port: 80}]}
  - {name: narrowed, expect: blocked, from: {namespace: pay}, to: {namespace: cart}, ports: [{port: 81}]}
  - {name: away, expect: reach, from: {namespace: web}, to: {internet: true}, ports: [{port: 80}]}
"""


def test_intents_become_probes_where_the_source_asks():
    for asked_for in (True, False):
        stage = crossing(analysis={"probe_intents": asked_for}, boundaries="proceed")
        revision = stage.repository.push("e", {**stage.repository.files("d" * 40), "tests.yaml": INTENTS})
        ctx = stage.context()
        name = start(ctx, find_source(ctx, "shop"), revision).rollout
        probes = stage.cluster.get(ROLLOUT, name, "netpol-canary")["spec"]["strategy"]["analysis"]["probes"]
        named = [(p["name"], p["source"], p["destination"], p["expect"]) for p in probes[1:]]
        held = [("web stays", "web/a", "cart/a", "reach"), ("narrowed", "pay/a", "cart/a", "blocked")]
        assert named == (held if asked_for else [])


def test_more_address_blocks_than_can_be_worked_out_are_said_and_their_risk_is_high():
    def blocks(number):
        peers = [{"ipBlock": {"cidr": f"10.{n // 250}.{n % 250}.0/25"}} for n in range(number)]
        spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]}
        stage = crossing()
        stage.repository.push("d", files(out("pay", PORTS), policy("wide", spec, "cart")))
        return asked(stage)

    few, many = blocks(40), blocks(5000)
    assert not few.unknown
    assert many.risk.level == "high" and "too many to work out every connection" in many.unknown
