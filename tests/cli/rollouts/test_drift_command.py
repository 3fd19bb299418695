"""What differs from the current revision is a table, JSON, and an exit code."""

import json

from faulty_port import FaultyPort, just_before
from stage import OWN, POLICY, SOURCE, Stage, policy

from orchestrator.context import NAMESPACE
from orchestrator.errors import Forbidden
from orchestrator.policy.writes.bridges import bridge_name
from orchestrator.rollout.resources.conditions import put


def test_drift_is_a_table_with_an_exit_code(cli):
    netpol = cli(stage := Stage())
    early = netpol("drift", "shop")
    assert early.code == 1 and "no current revision yet" in early.err
    assert netpol("run", "--source", "shop").code == 0
    same = netpol("drift", "shop")
    assert same.code == 0 and same.out == "shop: as cccccccccc asks for\n"
    fresh = stage.cluster.get(POLICY, "allow", "web")
    wrote = {"manager": "kubectl-edit", "time": "2026-01-05T10:00:00Z", "fieldsV1": {}}
    fresh["metadata"]["managedFields"] = [wrote]
    stage.cluster.replace({**fresh, "spec": {"podSelector": {}}})
    found = netpol("drift", "shop")
    assert found.code == 1
    who = "kubectl (field manager kubectl-edit, last wrote 2026-01-05T10:00:00Z)"
    row = " ".join(found.out.splitlines()[1].split())
    assert row == f"web NetworkPolicy/allow was changed {who}"
    (one,) = json.loads(netpol("drift", "shop", "-o", "json").out)["differences"]
    assert (one["namespace"], one["what"]) == ("web", "was changed")
    assert netpol("drift", "nobody").code == 2


def test_a_plan_says_that_no_wave_opens_now(cli):
    netpol = cli(Stage())
    netpol("stop", "-m", "INC-42")
    out = netpol("plan", "--source", "shop").out
    assert "no wave opens now: frozen by eve (RolloutFreeze stop): INC-42" in out


def test_what_a_namespace_holds_that_left_the_selection_is_told_and_counts(cli):
    netpol = cli(stage := Stage())
    assert netpol("run", "--source", "shop").code == 0
    fresh = stage.cluster.get(NAMESPACE, "web")
    stage.cluster.replace({**fresh, "metadata": {**fresh["metadata"], "labels": {}}})
    found = netpol("drift", "shop")
    assert found.code == 1 and "source does not select them any more: web (2 policies)" in found.out
    said = "orphaned: not selected any more, with policies of this source: web"
    assert said in netpol("plan", "--source", "shop").out
    (one,) = json.loads(netpol("drift", "shop", "-o", "json").out)["orphaned"]
    assert one == {"namespace": "web", "objects": ["NetworkPolicy/allow", "NetworkPolicy/deny"]}


def test_a_source_that_selects_nothing_or_what_does_not_exist_is_bad_input(cli):
    netpol = cli(stage := Stage())
    fresh = stage.cluster.get(SOURCE, "shop", OWN)
    for scope, says in (
        ({"matchLabels": [{"key": "team", "value": "shpo"}]}, "selects no namespace: none has team=shpo"),
        ({}, "the source selects no namespace; give names or matchLabels"),
        ({"names": ["carts", "pay"]}, "carts does not exist, or is being deleted; did you mean cart?"),
    ):
        fresh = stage.cluster.replace({**fresh, "spec": {**fresh["spec"], "namespaces": scope}})
        for verb in ("plan", "run"):
            done = netpol(verb, "--source", "shop")
            assert done.code == 2 and says in done.err, done


def test_the_table_of_sources_says_which_have_orphans(cli):
    netpol = cli(stage := Stage())
    assert netpol("get", "sources").out.splitlines()[1].split()[-2] == "-"
    fresh = stage.shop()
    told = put(fresh.status.conditions, "Orphaned", "True", "Orphaned", "web", stage.clock.now())
    stage.cluster.replace_status(fresh.with_status(fresh.status.model_copy(update={"conditions": told})))
    head, row = netpol("get", "sources").out.splitlines()[:2]
    assert head.split()[-2] == "ORPHANED" and row.split()[-2] == "True"


def test_a_bridge_that_is_left_is_told_and_counts(cli):
    netpol = cli(stage := Stage())
    assert netpol("run", "--source", "shop").code == 0
    stage.cluster.create(policy(bridge_name("0123456789", 0), {"podSelector": {}, "ingress": [{}]}, "web"))
    found = netpol("drift", "shop")
    assert found.code == 1 and "as cccccccccc asks for" in found.out
    text = "web/netpol-canary-bridge-0123456789-0: its rollout is gone; a controller or the guard"
    assert text in found.out
    (one,) = json.loads(netpol("drift", "shop", "-o", "json").out)["strayBridges"]
    assert one == {"bridge": "web/netpol-canary-bridge-0123456789-0", "why": "its rollout is gone"}


def test_whoever_may_not_read_the_whole_cluster_is_told_what_is_not_known(cli):
    stage = Stage()
    assert cli(stage)("run", "--source", "shop").code == 0
    stage.cluster.create(policy(bridge_name("0123456789", 0), {"podSelector": {}}, "web"))

    error = Forbidden("policyrollouts is forbidden at the cluster scope", 403)
    narrow = FaultyPort(stage.cluster, just_before(error, "list", kind="PolicyRollout", namespace=None))
    found = cli(stage, cluster=narrow)("drift", "shop")
    assert found.code == 0 and "whether bridges are left is not known" in found.err
