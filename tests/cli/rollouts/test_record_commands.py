"""`history`, `report` and `export` read the record: from the cluster, and from an archive without one."""

import csv
import io
import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from stage import DENY, OWN, Stage, files, work

from orchestrator.cli import wiring
from orchestrator.context import ROLLOUT
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start


@pytest.fixture
def stage():
    """One rollout that was rolled back, one that was promoted."""
    found = Stage(good=False)
    ctx = found.context()
    work(ctx, "one")
    found.prober.good = True
    found.repository.push("d", files(DENY))
    found.clock.sleep(60)
    Embedded(ctx, "one").drive(start(ctx, find_source(ctx, "shop")).rollout)
    return found


@pytest.fixture
def alone(monkeypatch):
    """No cluster can be reached."""

    def refuse(*args):
        raise AssertionError("the cluster was asked")

    return lambda: monkeypatch.setattr(wiring, "connected", refuse)


def names(netpol, *options):
    out = netpol("history", "-o", "name", *options).out
    return [line.rpartition("/")[2] for line in out.split()]


def test_history_lists_what_there_was_with_rates(cli, stage):
    told = cli(stage)("history")
    assert told.code == 0, told.err
    title, newest, oldest, *_ = told.out.splitlines()
    assert title.split()[:4] == ["NAME", "SOURCE", "REVISION", "OUTCOME"]
    assert newest.split()[:4] == ["shop-dddddddddd", "shop", "dddddddddd", "Succeeded"]
    assert oldest.split()[3] == "RolledBack" and "Ann <ann@example.com>" in oldest
    assert "2 rollouts: 1 succeeded (50 %), 1 rolled back (50 %), 0 failed (0 %)" in told.out
    assert "from detection to restored: " in told.out


def test_history_finds_by_namespace_person_commit_outcome_and_time(cli, stage):
    netpol = cli(stage)
    both = ["shop-dddddddddd", "shop-cccccccccc"]
    assert names(netpol) == names(netpol, "--source", "shop") == names(netpol, "--person", "ann@") == both
    assert names(netpol, "--touched", "pa*") == both and names(netpol, "--touched", "nowhere") == []
    assert names(netpol, "--commit", "ddd") == names(netpol, "--outcome", "succeeded") == both[:1]
    assert names(netpol, "--since", "2026-01-01") == both and names(netpol, "--since", "5m") == []
    assert cli(stage)("history", "--commit", "0").out == "No rollout is like that.\n"


def test_history_is_for_machines_too(cli, stage):
    netpol = cli(stage)
    found = json.loads(netpol("history", "-o", "json").out)
    assert [r["phase"] for r in found["rollouts"]] == ["Succeeded", "RolledBack"]
    assert found["summary"]["rates"]["succeeded"] == 1 and found["summary"]["restored"]["count"] == 1
    rows = list(csv.DictReader(io.StringIO(netpol("history", "-o", "csv").out)))
    assert [r["name"] for r in rows] == ["shop-dddddddddd", "shop-cccccccccc"]
    assert rows[0]["namespaces"] == "cart; pay; web"
    assert "NAMESPACES" in netpol("history", "-o", "wide").out
    assert netpol("history", "-o", "html").out.startswith("<!doctype html>")


def test_a_spreadsheet_takes_no_name_for_a_formula(cli, stage):
    first = stage.cluster.list(ROLLOUT, OWN)[0]
    first["spec"]["authors"] = ["=HYPERLINK(1)"]
    stage.cluster.vouches = False  # which would freeze the spec
    stage.cluster.replace(first)
    assert "'=HYPERLINK(1)" in cli(stage)("history", "-o", "csv").out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("history", "--since", "soon"), "--since soon is no time; write 12h"),
        (("history", "--outcome", "great"), "great is no outcome"),
        (("history", "-o", "xml"), "-o xml is not known"),
        (("history", "--from", "/nowhere"), "/nowhere: there is no such directory"),
        (("report",), "which rollout?"),
        (("report", "nothing"), "there is no rollout"),
        (("report", "shop", "--format", "pdf"), "-o pdf is not known"),
        (("report", "--from", "/nowhere.json"), "/nowhere.json: cannot be read"),
        (("report", "shop", "--to", "/proc/none/x.md"), "/proc/none/x.md: cannot be written"),
    ],
)
def test_bad_input_is_one_line(cli, stage, args, said):
    told = cli(stage)(*args)
    assert told.code == 2 and len(told.err.splitlines()) == 1 and said in told.err


def test_a_report_comes_in_three_forms(cli, stage, tmp_path):
    netpol = cli(stage)
    text = netpol("report", "shop-cccccccccc").out
    assert text.startswith("# Rollout shop-cccccccccc: RolledBack") and "## Why" in text
    assert netpol("report", "shop").out.startswith("# Rollout shop-dddddddddd: Succeeded")
    page = tmp_path / "new" / "r.html"
    assert f"is in {page}" in netpol("report", "shop", "-o", "html", "--to", str(page)).out
    assert page.read_text().startswith("<!doctype html>")
    kinds = {o["kind"] for o in json.loads(netpol("report", "shop", "-f", "json").out)["items"]}
    assert kinds == {"PolicyRollout", "NamespaceRollout", "WaveAnalysis"}


def test_an_archive_is_read_without_a_cluster(cli, stage, alone, tmp_path):
    netpol = cli(stage)
    told = netpol("export", "--to", str(tmp_path))
    assert told.code == 0 and "2 archived, 0 there already" in told.out
    before = netpol("report", "shop-cccccccccc").out
    alone()
    (path,) = tmp_path.glob("shop/shop-cccccccccc-*.json")
    assert netpol("report", "--from", str(path)).out == before
    assert netpol("report", "other", "--from", str(path)).code == 2
    assert names(netpol, "--from", str(tmp_path)) == ["shop-dddddddddd", "shop-cccccccccc"]


def test_what_is_archived_is_not_written_again_until_it_is_rolled_back(cli, stage, tmp_path):
    netpol = cli(stage)
    netpol("export", "--to", str(tmp_path))
    written = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json")}
    assert "0 archived, 2 there already" in netpol("export", "--to", str(tmp_path)).out
    assert "0 archived, 0 there already" in netpol("export", "--source", "x", "--to", str(tmp_path)).out
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == written
    assert netpol("rollback", "shop", "--here").code in (0, 1)
    told = netpol("export", "--to", str(tmp_path)).out
    assert "1 archived, 1 there already" in told and "shop-dddddddddd" in told
    assert '"phase": "RolledBack"' in next(tmp_path.glob("shop/shop-ddd*.json")).read_text()


def test_a_spoilt_archive_is_written_again_and_named_where_it_is_read(cli, stage, tmp_path):
    netpol = cli(stage)
    netpol("export", "--to", str(tmp_path))
    path = next(tmp_path.glob("shop/shop-ccc*.json"))
    path.write_text(path.read_text()[:100])
    told = netpol("history", "--from", str(tmp_path))
    assert told.code == 2 and f"{path}:6: is no JSON" in told.err
    assert "1 archived, 1 there already" in netpol("export", "--to", str(tmp_path)).out
    assert netpol("history", "--from", str(tmp_path)).code == 0


def test_a_terminal_obeys_no_name(cli, stage):
    first = stage.cluster.list(ROLLOUT, OWN)[0]
    first["spec"]["authors"] = ["\x1b]0;owned\x07 <a@b>"]
    stage.cluster.vouches = False  # which would freeze the spec
    stage.cluster.replace(first)
    for command in (("history",), ("describe", "shop-cccccccccc"), ("report", "shop-cccccccccc")):
        told = cli(stage)(*command).out
        assert "]0;owned" in told.replace("\\", "") and "\x1b" not in told and "\x07" not in told


def test_describe_draws_from_the_same_view(cli, stage):
    told = cli(stage)("describe", "shop-cccccccccc").out
    assert "Phase:            RolledBack" in told and "Restored in:" in told
    assert "0  canary, by name: bad, Failed" in told and "1  the rest: ahead, not begun" in told
    assert "web-pay: reach before, blocked after, expected reach" in told
    assert "RollbackVerified=True" in told


def test_the_cron_job_runs_a_command_that_is_there(cli, stage, tmp_path):
    folder = Path(__file__).parents[3] / "config" / "archive"
    (job,) = yaml.safe_load_all((folder / "cronjob.yaml").read_text())
    kubernetes_validate.validate(job, "1.34", strict=True)
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    args = [str(tmp_path) if a == "/archive" else a for a in container["args"]]
    assert cli(stage)(*args).code == 0
    assert len(list(tmp_path.rglob("*.json"))) == 2
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {p.name for p in folder.iterdir()}


def test_the_example_in_the_docs_has_the_headings_of_a_report(cli, stage):
    def headings(text):
        return {line.partition(":")[0] for line in text.splitlines() if line.startswith("## ")}

    example = (Path(__file__).parents[3] / "docs" / "example-report.md").read_text()
    assert headings(example) == headings(cli(stage)("report", "shop-cccccccccc").out)


def test_every_option_of_history_is_in_the_docs(cli, stage):
    told = (Path(__file__).parents[3] / "docs" / "history.md").read_text()
    for option in ("--source", "--touched", "--person", "--commit", "--outcome", "--since", "--from", "--to"):
        assert option in told
