"""The demo shows a good change promoted and two bad ones rolled back."""

import json
import sys
from functools import partial
from pathlib import Path

from git_folder import git
from patience import ran

run = partial(ran, Path(sys.executable).parent / "netpol-canary")


def test_the_three_outcomes():
    done = run("demo", "-o", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["rollouts"]
    assert [r["phase"] for r in found] == ["Succeeded", "RolledBack", "RolledBack"]
    good, checkout, scrape = found
    assert [w["verdict"] for w in good["waves"]] == ["Successful"] * 3
    told = {"reason", "details", "restoredSeconds"}
    assert set(good) == {"name", "scenario", "revision", "phase", "waves"} | told
    assert "client-errors in checkout" in checkout["reason"]
    assert "payments/callers.yaml:1" in checkout["details"]
    assert "checkout" in checkout["waves"][0]["watched"] and "search" in checkout["waves"][0]["controlGroup"]
    assert checkout["waves"][1]["phases"] == {"web": "Pending"}
    assert "cuts off the observer" in scrape["reason"]
    assert 0 < scrape["restoredSeconds"] < 5


def test_one_scenario_with_its_repository_and_its_reports_kept(tmp_path):
    reports = tmp_path / "reports"
    keep = ["--keep", str(tmp_path / "shop"), "--report", str(reports)]
    done = run("demo", "--scenario", "good-change", *keep)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in reports.iterdir()) == [f"good-change.{e}" for e in ("html", "json", "md")]
    assert "Succeeded" in done.stdout and "breaks-checkout" not in done.stdout
    assert "Let callers reach the HTTP port only" in git(tmp_path / "shop", "log", "--format=%s")


def test_bad_input_is_one_line_and_exit_code_2(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for args in (
        ["demo", "--scenario", "none"],
        ["demo", "-o", "xml"],
        ["demo", "--keep", str(tmp_path / "full")],
        ["demo", "--serve", "--scenario", "good-change"],
        ["demo", "--serve", "--merge", "bad"],
        ["demo", "--nonsense"],
        ["nonsense"],
    ):
        done = run(*args)
        assert done.returncode == 2, args
        assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


def test_crds_are_printed():
    assert run("crds").stdout.count("kind: CustomResourceDefinition") == 6
