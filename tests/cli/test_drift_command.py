"""What differs from the last verified revision is a table, JSON, and an exit code."""

import json

from stage import POLICY, Stage


def test_drift_is_a_table_with_an_exit_code(cli):
    netpol = cli(stage := Stage())
    early = netpol("drift", "shop")
    assert early.code == 1 and "no verified revision yet" in early.err
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
