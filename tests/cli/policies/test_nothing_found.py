"""Nothing found is never "no": what names nothing here is bad input, with what may have been meant."""

import json

import pytest
from git_folder import begun, commit
from shop_manifests import MANIFESTS, POLICY

TEST = """apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: shop}
spec: {intents: [{name: web pays, expect: blocked, from: {ENDS}, to: {workload: shop/db}, ports: [{port: 22}]}]}
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "all.yaml").write_text(MANIFESTS + "---\n" + POLICY)
    return tmp_path / "shop"


@pytest.fixture
def alone(tmp_path):
    """A repository of policies alone, with a change."""
    folder = tmp_path / "policies"
    begun(folder)
    for port in ("5432", "5433"):
        (folder / "p.yaml").write_text(POLICY.replace("5432", port))
        commit(folder, port)
    return folder


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("shop/wbe", "--from: shop/wbe is no workload or namespace here; did you mean shop/web"),
        ("wbe", "did you mean shop/web"),
        ("shpo", "did you mean shop"),
        ("10.0.0.300", "--from: 10.0.0.300 is no IP address"),
        ("2001:db8::g", "is no workload or namespace here"),
        ("2001:db8:::1", "--from: 2001:db8:::1 is no IP address"),
        ("zzz", "give a namespace, namespace/name, an address, external or internet"),
    ],
)
def test_an_end_that_is_not_here_is_bad_input(netpol, shop, given, said):
    done = netpol("reach", str(shop), "--from", given)
    assert done.code == 2 and said in done.err and done.out == "", done
    assert "netpol-canary: --to: " in netpol("reach", str(shop), "--to", given).err
    asked = netpol("why", str(shop), "--from", given, "--to", "db", "--port", "5432")
    assert asked.code == 2 and ("did you mean shop/web" in asked.err) == ("shop/web" in said)


def test_ends_that_are_here_are_taken_by_each_of_their_names(netpol, shop):
    for given in ("web", "shop", "shop/web", "shop/web[Deployment]", "external", "192.0.2.1", "2001:db8::1"):
        assert netpol("reach", str(shop), "--from", given).code == 0, given


def test_a_pod_is_found_by_its_address(netpol, shop):
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: job, namespace: shop}\nspec: {}\nstatus: {podIP: 10.1.2.3}\n"
    (shop / "pod.yaml").write_text(pod)
    rows = json.loads(netpol("reach", str(shop), "--from", "10.1.2.3", "-o", "json").out)["connections"]
    assert {r["from"] for r in rows} == {"shop/job[Pod]"}


@pytest.mark.parametrize(
    ("ends", "hint"),
    [
        ("workload: shop/wbe", "`from` selects no workload; did you mean shop/web"),
        ("namespace: shpo", "`from` selects no workload; did you mean shop?"),
        ("namespace: shop, labels: {app: wbe}", "`from` selects no workload; did you mean app=web"),
    ],
)
def test_an_intent_that_names_nothing_is_bad_input_and_the_others_are_answered(netpol, shop, ends, hint):
    right = TEST.replace("ENDS", "workload: shop/web")
    (shop / "tests.yaml").write_text(TEST.replace("ENDS", ends) + "---\n" + right)
    done = netpol("test", str(shop))
    assert done.code == 2 and hint in done.out and "2 intents, 1 hold" in done.out
    assert "1 intent names what is not here" in done.err
    assert 'failures="1"' in netpol("test", str(shop), "-o", "junit").out


def test_an_intent_s_address_that_is_none_is_named_with_its_line(netpol, shop):
    (shop / "tests.yaml").write_text(TEST.replace("ENDS", "address: 10.0.0.300"))
    done = netpol("test", str(shop))
    assert done.code == 2 and "tests.yaml:1: PolicyTest spec.intents[0].from.address" in done.err


def flows(tmp_path, *pairs):
    lines = (json.dumps({"src": src, "dst": dst, "port": 5432}) for src, dst in pairs)
    (tmp_path / "flows.jsonl").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "flows.jsonl")


def test_flows_of_pods_that_are_gone_are_counted_and_named(netpol, shop, tmp_path):
    seen = flows(tmp_path, ("shop/web", "shop/db"), ("shop/web", "shop/bd"))
    done = netpol("replay", str(shop), "--flows", seen)
    assert done.code == 0 and "1 with an unknown end" in done.out
    assert "not read: 1 recorded connection has an end that is not here: shop/bd (did you mean" in done.err
    assert netpol("replay", str(shop), "--flows", seen, "-o", "text").out == done.out
    assert netpol("replay", str(shop), "--flows", seen, "--strict").code == 2
    made = netpol("generate", str(shop), "--flows", seen)
    assert made.code == 0 and "not read: 1 recorded connection" in made.err


def test_flows_that_are_all_of_something_else_are_bad_input(netpol, shop, tmp_path):
    seen = flows(tmp_path, ("old/a", "old/b"), ("old/a", "shop/db"))
    for command in (["replay"], ["generate"]):
        done = netpol(*command, str(shop), "--flows", seen)
        assert done.code == 2 and "no recorded connection is of workloads that are here" in done.err, done


def test_revisions_without_workloads_ask_for_them(netpol, alone, shop, monkeypatch):
    monkeypatch.chdir(alone)
    done = netpol("diff", "HEAD~1..HEAD")
    assert done.code == 2 and "there is no workload in . at HEAD~1 or HEAD; --workloads DIR" in done.err
    shown = netpol("diff", "HEAD~1..HEAD", "--workloads", str(shop))
    assert shown.code == 0 and "TCP 5433" in shown.out
    checked = netpol("check", ".", "--base", "HEAD~1")
    assert checked.code == 2 and "--workloads DIR takes them from elsewhere" in checked.err


def test_reach_and_why_take_workloads_from_elsewhere(netpol, alone, shop):
    done = netpol("reach", str(alone), "--workloads", str(shop), "--to", "shop/db", "--from", "shop/web")
    # the policies that stand beside the workloads are left aside
    assert done.code == 0 and "TCP 5433" in done.out
    asked = ["why", str(alone), "--from", "web", "--to", "db", "--port", "5432", "--workloads", str(shop)]
    assert netpol(*asked).code == 1


def test_a_policy_that_selects_nothing_is_named(netpol, shop):
    idle = POLICY.replace("name: db", "name: idle").replace("{app: db}", "{app: bd}")
    (shop / "idle.yaml").write_text(idle)
    for command in (
        ["reach", str(shop)],
        ["why", str(shop), "--from", "web", "--to", "db", "--port", "5432"],
        ["diff", str(shop), str(shop)],
    ):
        done = netpol(*command)
        assert done.code == 0, done
        said = f"NetworkPolicy shop/idle ({shop}/idle.yaml:1) selects no workload, and changes nothing here"
        assert said in done.err


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        (
            "only: [{name: o, to: {workload: shop/db}, onlyFrom: [{workload: shop/web}, {workload: shop/wbe}]}]",
            "`onlyFrom[1]` selects no workload; did you mean shop/web",
        ),
        (
            "internet: [{name: o, onlyTo: [{workload: shop/wbe}]}]",
            "`onlyTo[0]` selects no workload; did you mean shop/web",
        ),
        ("internet: [{name: o, onlyTo: [{address: 203.0.113.7}]}]", "`onlyTo[0]` selects no workload"),
    ],
)
def test_an_exception_that_names_nothing_is_bad_input(netpol, shop, rule, hint):
    (shop / "tests.yaml").write_text(f"{TEST.partition('spec:')[0]}spec: {{{rule}}}\n")
    done = netpol("test", str(shop))
    assert done.code == 2 and hint in done.out and "1 intent names what is not here" in done.err


def test_nobody_at_all_may_be_meant(netpol, shop):
    text = f"{TEST.partition('spec:')[0]}spec: {{only: [{{name: o, to: {{workload: shop/db}}, onlyFrom: []}}]}}\n"
    (shop / "tests.yaml").write_text(text)
    done = netpol("test", str(shop))
    assert done.code == 1 and "shop/web to shop/db" in done.out


def test_an_address_that_may_come_is_excepted_and_no_other(netpol, shop):
    text = (shop / "all.yaml").read_text()
    blocks = "- from: [{ipBlock: {cidr: 198.51.100.7/32}}, {ipBlock: {cidr: 198.51.100.9/32}}"
    (shop / "all.yaml").write_text(text.replace("- from: [", blocks + ", "))
    rule = "{name: o, to: {workload: shop/db}, onlyFrom: [{workload: shop/web}, {address: 198.51.100.7}]}"
    (shop / "tests.yaml").write_text(f"{TEST.partition('spec:')[0]}spec: {{only: [{rule}]}}\n")
    done = netpol("test", str(shop))
    assert done.code == 1 and "198.51.100.9 to shop/db" in done.out and "198.51.100.7 to" not in done.out
