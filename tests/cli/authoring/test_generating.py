"""generate, import and replay at the command line."""

import json
from pathlib import Path

import pytest
import yaml
from stage import Stage
from written import policy

from orchestrator.context import POLICY as POLICIES

APPS = Path(__file__).parents[2] / "apps"
HUBBLE = {
    "verdict": "FORWARDED",
    "source": {
        "namespace": "shop",
        "pod_name": "web-7d9c5-x2x1z",
        "workloads": [{"name": "web", "kind": "Deployment"}],
    },
    "destination": {"namespace": "shop", "pod_name": "redis-0"},
    "IP": {"source": "10.0.0.1", "destination": "10.0.0.2"},
    "l4": {"TCP": {"source_port": 40000, "destination_port": 6379}},
}


def test_what_is_generated_can_be_linted_and_reached(netpol, tmp_path):
    to = tmp_path / "out"
    done = netpol("generate", str(APPS / "shop"), "--to", str(to))
    assert done.code == 0 and "policies written to" in done.out
    (to / "shop.yaml").write_text((APPS / "shop/shop.yaml").read_text())
    assert netpol("lint", str(to), "--fail-on", "error").code == 0
    assert netpol("why", str(to), "--from", "shop/web", "--to", "payments/db", "--port", "5432").code == 1
    assert netpol("why", str(to), "--from", "shop/web", "--to", "shop/cart", "--port", "8000").code == 0
    again = netpol("generate", str(APPS / "shop"), "--to", str(to))
    assert again.code == 0
    (to / "shop/web.yaml").write_text("mine\n")
    refused = netpol("generate", str(APPS / "shop"), "--to", str(to))
    assert refused.code == 2 and "a file with other content stands there" in refused.err
    assert (to / "shop/web.yaml").read_text() == "mine\n"
    assert netpol("generate", str(APPS / "bank")).out.startswith("# Nothing is allowed but")


def test_recorded_flows_that_would_be_cut_are_named_with_the_rules(netpol, tmp_path):
    to = tmp_path / "out"
    netpol("generate", str(APPS / "shop"), "--to", str(to))
    (to / "shop.yaml").write_text((APPS / "shop/shop.yaml").read_text())
    dropped, reply = {**HUBBLE, "verdict": "DROPPED"}, {**HUBBLE, "is_reply": True}
    good = {"src": "shop/web-0", "dst": "shop/cart", "port": 8000}
    odd = {"src": "shop/web", "dst": "gone/away", "port": 1}
    flows = tmp_path / "flows.jsonl"
    lines = [{"flow": HUBBLE, "node_name": "n"}, HUBBLE, {"flow": dropped}, {"flow": reply}, good, odd]
    flows.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    done = netpol("replay", str(to), "--flows", str(flows))
    assert done.code == 1
    assert "cut: shop/web to shop/redis-0 on 6379/TCP, seen twice" in done.out
    assert f"NetworkPolicy shop/redis: no rule allows it ({to}/shop/redis.yaml:2)" in done.out
    assert "1 recorded connection allowed, 1 cut, 1 with an unknown end" in done.out
    data = json.loads(netpol("replay", str(to), "--flows", str(flows), "-o", "json").out)
    assert data["allowed"] == 1 and data["cut"][0]["count"] == 2 and len(data["unknown"]) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "flows:1: this is no recorded flow"),
        ('\n{"src": "a"}', "flows:2"),
        ("[1]", "flows:1"),
        (None, "cannot be read"),
    ],
)
def test_bad_flows(netpol, tmp_path, content, said):
    flows = tmp_path / "flows"
    if content is not None:
        flows.write_text(content)
    done = netpol("replay", str(APPS / "bank"), "--flows", str(flows))
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1


POLICY = policy(
    "pay/callers", "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}"
)


def test_what_stands_in_the_cluster_becomes_a_repository(cli, tmp_path):
    stage = Stage()
    stage.cluster.create(yaml.safe_load(POLICY))
    netpol = cli(stage)
    none = netpol("import", "--to", str(tmp_path))
    assert none.code == 2 and "give --cluster" in none.err
    to = tmp_path / "policies"
    done = netpol("import", "--cluster", "--to", str(to))
    assert done.code == 0 and done.out == f"2 policies written to {to}\n"
    found = yaml.safe_load((to / "pay/callers.yaml").read_text())
    assert found["metadata"] == {"name": "callers", "namespace": "pay"}
    assert found["spec"] == yaml.safe_load(POLICY)["spec"]
    old = yaml.safe_load((to / "cart/old.yaml").read_text())
    assert "labels" not in old["metadata"], "the source's own label is put there by the source"
    assert netpol("import", "--cluster", "--only", "web", "--to", str(to)).code == 2


@pytest.mark.parametrize(
    ("only", "where"),
    [((), "the cluster, outside of kube-*"), (("--only", "web", "--only", "pay"), "web, pay")],
)
def test_where_no_policies_are_generate_makes_some(cli, only, where):
    stage = Stage()
    stage.remove(POLICIES, "old", "cart")
    done = cli(stage)("import", "--cluster", "--to", "new policies", *only)
    assert done.code == 2 and f"there is no policy in {where};" in done.err
    assert "`netpol-canary generate DIR --to 'new policies'` writes policies from the manifests" in done.err


def test_check_names_what_the_policies_of_a_directory_would_cut(netpol, tmp_path):
    to = tmp_path / "out"
    netpol("generate", str(APPS / "shop"), "--to", str(to))
    good = netpol("generate", str(to), "--check", "--workloads", str(APPS / "shop"))
    assert good.code == 0 and good.out.startswith("0 cut")
    (to / "shop/cart.yaml").unlink()
    bad = netpol("generate", str(to), "--check", "--workloads", str(APPS / "shop"), "-o", "json")
    assert bad.code == 1
    data = json.loads(bad.out)
    assert ("shop/web[Deployment]", "shop/cart[Deployment]") in {(c["from"], c["to"]) for c in data["cut"]}
    assert "NetworkPolicy shop/default-deny" in str(data["cut"])


def test_check_of_a_directory_without_policies_is_bad_input(netpol):
    done = netpol("generate", str(APPS / "shop"), "--check", "--to", "x")
    assert done.code == 2 and "--check writes nothing" in done.err


@pytest.mark.parametrize("kind", ["networkpolicy", "anp"])
def test_policies_are_written_for_the_namespaces_that_are_named_alone(netpol, tmp_path, kind):
    whole, some = tmp_path / "whole", tmp_path / "some"
    wanted = ("generate", str(APPS / "shop"), "--kind", kind)
    assert netpol(*wanted, "--to", str(whole)).code == 0
    done = netpol(*wanted, "--only", "payments", "--to", str(some))
    assert done.code == 0, done.err
    left, all_of_them = ("".join(p.read_text() for p in sorted(d.rglob("*.yaml"))) for d in (some, whole))
    assert (some / "payments").exists() or kind == "anp"
    assert not (some / "shop").exists() and len(left) < len(all_of_them)
    assert "payments" in left
    done = netpol(*wanted, "--only", "paymnts")
    assert done.code == 2 and "--only: there is no workload in paymnts" in done.err


def test_a_check_is_of_all_that_a_directory_has(netpol):
    done = netpol("generate", str(APPS / "shop"), "--check", "--only", "payments")
    assert done.code == 2 and "leave --to, --only, --kind and --flows out" in done.err
