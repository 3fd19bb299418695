"""The repository that `demo --keep` leaves has something to say to every command that works on manifests."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest
from patience import ran

from orchestrator.cli.demo import demo_changes, shop_demo
from orchestrator.sandbox import shop, shop_workloads

BREAKS = shop_demo.scenarios()[1]
run = partial(ran, Path(sys.executable).parent / "netpol-canary")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with shop_demo.repository(tmp_path_factory.mktemp("demo") / "shop") as path:
        yield path


@pytest.fixture
def broken(tmp_path):
    """A repository in which callers of payments are misspelt by the last commit."""
    with shop_demo.repository(tmp_path / "shop") as path:
        shop_demo.commit(path, BREAKS.files, BREAKS.subject)
        yield path


def test_reach_says_who_calls_payments(root):
    rows = json.loads(run("reach", root, "--to", "payments", "-o", "json").stdout)["connections"]
    assert [r["from"].split("/")[0] for r in rows] == ["checkout", "monitoring"]


def test_reach_shows_the_entrance_from_outside_and_nothing_of_it_for_other_ends(root):
    (way,) = json.loads(run("reach", root, "-o", "json").stdout)["entrances"]
    assert way["to"] == "web/web[Deployment]" and way["open"] and "LoadBalancer" in way["through"]
    assert "THROUGH" in run("reach", root, "--to", "web", "--port", "8080").stdout
    for args in (["--to", "payments"], ["--from", "email"], ["--to", "web", "--port", "9090"]):
        assert "THROUGH" not in run("reach", root, *args).stdout


def test_exposure_says_whom_payments_would_let_in(root):
    rows = json.loads(run("reach", root, "--exposure", "-o", "json").stdout)["exposure"]
    mine = {r["from"]: r["ports"] for r in rows if r["to"].startswith("payments/")}
    name = "any pod in namespaces with kubernetes.io/metadata.name"
    assert mine == {f"{name}=checkout": "all", f"{name}=monitoring": "TCP 9090"}
    assert "WOULD LET IN" in run("reach", root, "--exposure").stdout
    refused = run("reach", root, "--exposure", "--to", "payments")
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) <= 2


def test_why_names_the_policy_that_keeps_mail_from_payments(root):
    done = run("why", root, "--from", "email", "--to", "payments", "--port", shop.HTTP)
    assert done.returncode == 1 and "payments/callers.yaml:1" in done.stdout


def test_lint_finds_the_open_door_and_no_error(root):
    done = run("lint", root)
    assert done.returncode == 0 and "NPC003 NetworkPolicy web/callers" in done.stdout


def test_every_intent_holds_and_every_recorded_connection_passes(root):
    assert run("test", root).returncode == 0
    done = run("replay", root, "--flows", root / shop_workloads.FLOWS, "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(shop.CALLS) + len(shop.SPACES) - 1} recorded connections allowed, 0 cut" in done.stdout


def test_what_is_generated_lets_pass_what_was_recorded(root, tmp_path):
    assert run("generate", root, "--to", tmp_path / "made").returncode == 0
    flows = ("--flows", root / shop_workloads.FLOWS)
    done = run("replay", tmp_path / "made", "--workloads", root / "_workloads", *flows, "--strict")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_policies_that_stand_there_cut_nothing_that_the_workloads_ask_for(root):
    done = run("generate", root, "--check")
    assert done.returncode == 0 and "0 cut" in done.stdout


def test_a_misspelt_caller_is_seen_by_diff_check_and_replay(broken):
    done = run("diff", "HEAD~1..HEAD", "--path", broken, "-o", "json")
    assert "checkout/checkout[Deployment]" in done.stdout, done.stderr
    assert "checkout/checkout" in run("check", broken, "--base", "HEAD~1").stdout
    replayed = run("replay", broken, "--flows", broken / shop_workloads.FLOWS)
    assert replayed.returncode == 1
    assert "cut: checkout/checkout to payments/payments on 8080/TCP" in replayed.stdout


def test_a_rollout_of_it_applies_the_policies_alone(root):
    done = run("plan", root, "--sandbox")
    assert done.returncode == 0 and "nothing to do" in done.stdout


def test_what_hurts_there_is_no_intent_so_that_the_metrics_find_it(root):
    for kind in ("bad", "bad", "good"):  # the second bad one is another than the first
        demo_changes.merge(root, kind)
        assert run("test", root).returncode == 0


def test_the_demo_tells_what_to_ask_the_repository_that_it_keeps(tmp_path):
    kept = tmp_path / "shop"
    done = run("demo", "--scenario", "breaks-checkout", "--keep", kept)
    assert done.returncode == 0, done.stderr
    asked = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("  netpol-canary ")]
    assert {args[0] for args in asked} == {"reach", "why", "diff", "replay"}
    for args in asked:
        ended = run(*args)
        assert ended.returncode == (1 if args[0] == "why" else 0) and ended.stdout.strip(), args
