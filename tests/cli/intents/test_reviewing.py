"""On the command line people see which connections a change opens and cuts before they decide, and by which rule."""

import json

from risky import risky

from orchestrator.context import APPROVAL, ROLLOUT
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

WORST = "opened: internet to cart/a[Pod] on TCP 5432"
RULE = "after, Ingress: NetworkPolicy cart/into ingress[0] (all.yaml:1)"


def waiting(cli):
    stage = risky(gates=[m.Gate(wave=0)])
    netpol = cli(stage)
    assert netpol("run", "--source", "shop").code == 3
    return stage, netpol


def test_a_plan_names_the_worst_of_each_wave_with_rule_file_and_line(cli):
    done = cli(risky())("plan", "--source", "shop", "--no-diff")
    first, second = done.out.split("wave 0 changes", 1)[1].split("wave 1 changes", 1)
    assert done.code == 0 and WORST in first and RULE in first and "cut: pay/a[Pod] to web/a[Pod]" in second
    data = json.loads(cli(risky())("plan", "--source", "shop", "-o", "json").out)
    assert any(RULE in c["because"] for c in data["connections"])


def test_describe_and_explain_say_what_the_wave_that_waits_changes(cli):
    _, netpol = waiting(cli)
    for command in ("describe", "explain"):
        said = netpol(command, "shop").out
        assert WORST in said and RULE in said, command
    (first, *_) = json.loads(netpol("explain", "shop", "-o", "json").out)["planned"]
    assert first["connections"] == len(first["worst"]) and RULE in first["worst"][0]["because"]


def test_high_risk_is_approved_with_a_reason_alone(cli):
    stage, netpol = waiting(cli)
    for asked in (("promote", "shop"), ("promote", "shop", "-m", " "), ("approve", "shop", "-m", "")):
        done = netpol(*asked)
        assert done.code == 2 and "high risk: approving it takes a reason" in done.err, asked
        assert len(done.err.splitlines()) == 1
    assert not stage.cluster.list(APPROVAL)
    assert netpol("approve", "shop", "--reason", "asked the team").code == 0
    told = "wave 0 approved by eve: asked the team"
    assert told in netpol("describe", "shop").out and f"decided:      {told}" in netpol("explain", "shop").out
    assert json.loads(netpol("explain", "shop", "-o", "json").out)["decisions"] == [told]
    assert told in netpol("history", "-o", "wide").out and told in netpol("history", "-o", "json").out


def test_a_no_needs_no_reason_whatever_the_risk(cli):
    _, netpol = waiting(cli)
    done = netpol("promote", "shop", "--reject", "--here")
    assert done.code == 1 and "rejected by eve" in done.out


def test_an_approval_without_a_reason_that_came_by_kubectl_counts_and_is_shown_as_one(cli):
    stage, netpol = waiting(cli)
    (rollout,) = stage.cluster.list(ROLLOUT)
    spec = m.RolloutApprovalSpec(
        rollout=rollout["metadata"]["name"], wave=0, plan_digest=rollout["spec"]["planDigest"], user="eve"
    )
    stage.cluster.create(new("RolloutApproval", "by-hand", "netpol-canary", spec))
    said = netpol("describe", "shop").out
    assert "1 of 2 approvals" in said and said.count("no reason given") == 2
