"""The demo shows a good change promoted and three bad ones rolled back."""

import json
import shlex
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest
from git_folder import git
from patience import ENOUGH, ran

run = partial(ran, Path(sys.executable).parent / "netpol-canary")


def test_the_seven_outcomes():
    done = run("demo", "-o", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["rollouts"]
    assert [r["phase"] for r in found] == ["Succeeded", *["RolledBack"] * 6]
    good, checkout, scrape, cilium, pods, expand, wide = found
    assert [w["verdict"] for w in good["waves"]] == ["Successful"] * 3
    told = {"reason", "details", "restoredSeconds"}
    assert set(good) == {"name", "scenario", "revision", "phase", "waves"} | told
    assert "client-errors in checkout" in checkout["reason"]
    assert "payments/callers.yaml:1" in checkout["details"]
    assert "checkout" in checkout["waves"][0]["watched"] and "search" in checkout["waves"][0]["controlGroup"]
    assert checkout["waves"][1]["phases"] == {"web": "Pending"}
    assert "cuts off the observer" in scrape["reason"]
    assert 0 < scrape["restoredSeconds"] < 5
    assert "client-errors in checkout" in cilium["reason"]
    assert "CiliumNetworkPolicy payments/deny ingressDeny[0] (payments/deny.yaml:8" in cilium["details"]
    assert cilium["waves"][1]["phases"] == {"accounts": "Pending", "inventory": "Pending"}
    assert [w["phases"] for w in pods["waves"]] == [{"payments": p} for p in ("Restored", "Pending")]
    assert "served in payments, its canary pods beside the others" in pods["details"]
    assert [w["verdict"] for w in expand["waves"]] == ["Successful", "Successful", "Failed", "Pending"]
    assert "client-errors in checkout" in expand["reason"]
    assert [w["phases"] for w in wide["waves"]] == [
        {"_cluster": p} for p in ("Restored", "Pending", "Pending")
    ]
    assert wide["waves"][0]["namespaces"] == ["catalog", "payments", "search"]
    assert "cuts off the observer: scrape in catalog" in wide["reason"]


@pytest.mark.exhaustive
def test_it_ends_with_three_next_steps_that_work_as_they_stand(tmp_path):
    (tmp_path / "policy.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n"
    )
    said = run("demo", "--scenario", "good-change").stdout
    head, *steps = said[said.rindex("Next:") :].splitlines()
    serve, keep, lint = (shlex.split(step, comments=True) for step in steps)
    assert head == "Next:" and Path(keep[0]).name == "netpol-canary"
    for words, found in ((lint, "0 findings"), (keep, "netpol-canary why shop --from email")):
        done = ran(*words, cwd=tmp_path)
        assert done.returncode == 0 and found in done.stdout, done
    served = [*serve, "--listen", "127.0.0.1:0"]  # the usual port may be somebody else's here
    with subprocess.Popen(served, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "")
            address = next(line for line in lines if line.startswith("Open ")).split()[1]
            assert b"ben" in urlopen(f"{address}signin", timeout=ENOUGH).read()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(ENOUGH) == 0


def test_one_scenario_with_its_repository_and_its_reports_kept(tmp_path):
    reports = tmp_path / "reports"
    keep = ["--keep", str(tmp_path / "shop"), "--report", str(reports)]
    done = run("demo", "--scenario", "good-change", *keep)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in reports.iterdir()) == [f"good-change.{e}" for e in ("html", "json", "md")]
    assert "Succeeded" in done.stdout and "breaks-checkout" not in done.stdout
    assert "Let callers reach the HTTP port only" in git(tmp_path / "shop", "log", "--format=%s")


def test_bad_input_is_one_line_and_exit_code_2(tmp_path, netpol):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for args in (
        ["demo", "--scenario", "none"],
        ["demo", "-o", "xml"],
        ["demo", "--keep", str(tmp_path / "full")],
        ["demo", "--serve", "--scenario", "good-change"],
        ["demo", "--serve", "--merge", "bad"],
        ["nonsense"],
    ):
        done = netpol(*args)
        assert done.code == 2, args
        assert len(done.err.splitlines()) == 1 and "Traceback" not in done.err
    done = run("demo", "--nonsense")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


def test_crds_are_printed():
    assert run("crds").stdout.count("kind: CustomResourceDefinition") == 6
