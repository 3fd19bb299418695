"""The verbs do to a rollout what kubectl and Flagger users expect of them."""

import json

import pytest
import yaml
from stage import OWN, Inline, Rounds, Stage, policy, work

from orchestrator.context import ROLLOUT
from orchestrator.rollout.resources import model as m


def source_file(tmp_path, **strategy):
    spec = {
        "git": {"url": "/repo"},
        "namespaces": {"matchLabels": [{"key": "team", "value": "shop"}]},
        "shared": "root",
        "strategy": {"canary": ["cart"], **strategy},
    }
    body = {"apiVersion": m.API_VERSION, "kind": "PolicySource", "metadata": {"name": "shop"}, "spec": spec}
    path = tmp_path / "source.yaml"
    path.write_text(yaml.safe_dump(body))
    return str(path)


def test_run_shows_what_happens_and_ends_well(cli):
    stage = Stage()
    netpol = cli(stage)
    done = netpol("run", "--source", "shop")
    assert done.code == 0
    assert "Promoted" in done.out and done.out.rstrip().endswith("shop-cccccccccc: Succeeded")
    again = netpol("run", "--source", "shop")
    assert again.code == 0 and "nothing to do" in again.out
    assert json.loads(netpol("run", "--source", "shop", "-o", "json").out) == {"rollouts": []}


def test_run_from_a_file_creates_the_source_and_follows_it(cli, tmp_path):
    stage = Stage()
    found = json.loads(cli(stage)("run", "--source", source_file(tmp_path), "-o", "json").out)["rollouts"][0]
    assert found["phase"] == "Succeeded" and [w["namespaces"] for w in found["waves"]] == [
        ["cart"],
        ["pay", "web"],
    ]
    assert stage.shop().spec.strategy.analysis.probes == []


def test_a_rollback_says_why_and_holds_the_revision(cli):
    netpol = cli(Stage(good=False))
    done = netpol("run", "--source", "shop")
    assert done.code == 1 and "expected reach, seen blocked" in done.out and "RolledBack" in done.out
    held = netpol("run", "--source", "shop")
    assert held.code == 1 and "is blocked" in held.err
    assert netpol("retry", "shop").code == 0
    assert netpol("run", "--source", "shop").code == 1
    assert netpol("retry", "shop", "--here").code == 1


def test_a_gate_waits_for_a_person(cli):
    stage = Stage(gates=[m.Gate(wave=1, approvals=1)])
    stage.change(identities=[{"email": "ann@example.com", "user": "ann"}])
    netpol = cli(stage)
    done = netpol("run", "--source", "shop")
    assert done.code == 3 and "netpol-canary approve shop-cccccccccc -m WHY" in done.out
    assert netpol("resume", "shop").code == 1
    promoted = netpol("promote", "shop", "-m", "looks good", "--here")
    assert promoted.code == 0 and "Succeeded" in promoted.out
    assert "looks good" in netpol("get", "approvals", "-o", "yaml").out
    assert netpol("promote", "shop").code == 1


def test_a_rejection_puts_everything_back(cli):
    stage = Stage(gates=[m.Gate(wave=1)])
    before = stage.standing()
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    done = netpol("promote", "shop", "--reject", "--here")
    assert done.code == 1 and "rejected by eve" in done.out and stage.standing() == before


def test_pause_resume_and_abort_are_left_for_the_worker(cli):
    stage = Stage(gates=[m.Gate(wave=0)])
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    asked = netpol("abort", "shop")
    assert asked.code == 0 and "abort asked for by eve" in asked.out and "nobody works on it" in asked.out
    assert netpol("run", "--source", "shop").code == 1
    assert netpol("abort", "shop").code == 1 and netpol("pause", "shop").code == 1


def test_pause_and_resume(cli):
    stage = Stage(gates=[m.Gate(wave=1)])
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    assert netpol("pause", "shop").code == 0


def test_the_latest_rollout_is_taken_back(cli):
    stage = Stage()
    before, netpol = stage.standing(), cli(stage)
    netpol("run", "--source", "shop")
    done = netpol("rollback", "shop", "--here")
    assert done.code == 1 and "rollback by eve" in done.out and stage.standing() == before
    assert netpol("rollback", "shop").code == 1


@pytest.mark.parametrize("what", ["rollouts", "prol", "sources", "namespaces", "analyses", "approvals"])
def test_get_lists_every_kind(cli, what):
    stage = Stage()
    netpol = cli(stage)
    assert netpol("get", "rollouts").out == f"No rollouts in the namespace {OWN}.\n"
    netpol("run", "--source", "shop")
    for output in ("", "wide", "name", "json", "yaml"):
        done = netpol("get", what, *(["-o", output] if output else []))
        assert done.code == 0 and (done.out or (what, output) == ("approvals", "name")), (what, output)
    table = netpol("get").out.splitlines()
    assert table[0].split()[:3] == ["NAME", "SOURCE", "PHASE"] and table[1].split()[2] == "Succeeded"


def test_describe_and_watch(cli):
    netpol = cli(Stage(good=False))
    netpol("run", "--source", "shop")
    text = netpol("describe", "shop").out
    for said in (
        "Ann <ann@example.com>",
        "RolledBack",
        "probe web-pay: reach before, blocked after, expected reach",
        "Timeline",
        "RollbackVerified=True",
    ):
        assert said in text
    assert netpol("watch", "shop").code == 1


def test_plan_from_the_cluster_and_from_a_directory(cli, tmp_path):
    stage = Stage()
    netpol = cli(stage)
    writes = dict(stage.cluster.writes)
    text = netpol("plan", "--source", "shop").out
    assert "3 namespaces in 2 waves; 6 to create, 0 to update, 1 to delete" in text
    assert "+++ cart/NetworkPolicy/allow (all.yaml:3)" in text and "- NetworkPolicy/old" in text
    found = json.loads(netpol("plan", "--source", "shop", "-o", "json").out)
    assert [w["wave"] for w in found["waves"]] == [0, 1] and found["digest"].startswith("sha256:")
    (tmp_path / "cart").mkdir()
    (tmp_path / "cart" / "a.yaml").write_bytes(stage.repository.files("c" * 40)["all.yaml"])
    assert "1 namespace in 1 wave" in netpol("plan", str(tmp_path), "--source", "shop").out
    assert yaml.safe_load(netpol("plan", "--source", "shop", "-o", "yaml").out)["source"] == "shop"
    assert dict(stage.cluster.writes) == writes


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["get", "pods"], "pods is not known here"),
        (["get", "-o", "xml"], "-o xml is not known here"),
        (["get", "rollouts", "nope"], "not found"),
        (["describe", "nope"], "there is no rollout"),
        (["run", "--source", "nope"], "there is no PolicySource nope"),
        (["run", "--source", "./nope.yaml"], "cannot be read"),
        (["run"], "Missing option '--source'"),
        (["plan"], "there is nothing to plan"),
        (["plan", ".", "--sandbox", "--revision", "x"], "a directory has no revisions"),
        (["plan", "/nowhere", "--sandbox"], "there is no such directory"),
        (["test", "/nowhere", "--live"], "there is no such directory"),
        (["completion", "tcsh"], "the shell tcsh is not known"),
        (["controller", "--listen", "x"], "x is not HOST:PORT"),
        (["controller", "--poll", "0"], "the setting controller.poll_seconds: "),
        (["controller", "--log", "xml"], "the setting log: "),
        (["guard", "--interval", "0"], "--interval: 0 is not between 1 and 60 seconds"),
        (["guard", "--listen", "x"], "x is not HOST:PORT"),
        (["nope"], "No such command"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(cli, args, said):
    done = cli(Stage())(*args)
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1, done


def test_every_command_has_an_example_and_a_line_among_those_of_its_users(cli):
    from pathlib import Path

    from orchestrator.cli import main

    page = (Path(main.__file__).parents[2] / "docs/commands.md").read_text()
    main.load()
    for command in main.app.registered_commands:
        name = command.name or command.callback.__name__
        assert (command.epilog or "").startswith(f"Example: netpol-canary {name}")
        assert f"`{name}`" in page or f"netpol-canary {name}" in page, name


@pytest.mark.parametrize(
    ("conflicts", "said"),
    [
        (
            "observe",
            ["observed: web/NetworkPolicy/allow is left alone, managed by kubectl", "-      app: theirs"],
        ),
        ("adopt", ["managed by others: web/NetworkPolicy/allow is adopted, so far managed by kubectl"]),
    ],
)
def test_a_plan_says_what_others_manage(cli, conflicts, said):
    stage = Stage()
    theirs = policy("allow", {"podSelector": {"matchLabels": {"app": "theirs"}}}, "web")
    theirs["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    stage.cluster.create(theirs)
    stage.change(conflicts=conflicts)
    out = cli(stage)("plan", "--source", "shop").out
    assert all(text in out for text in said), out


def paused():
    """A rollout that a person stopped in its first wave."""
    stage, asked = Stage(), []

    def stop():
        found = stage.cluster.list(ROLLOUT, OWN)
        if found and (found[0].get("status") or {}).get("wavesStarted") and not asked:
            asked.append(Rounds(stage).ask("shop-cccccccccc", "pause"))
        return False

    work(stage.context(), "w", stop=stop)
    return stage


def test_watch_after_resume_goes_on_to_the_end(cli):
    stage = paused()
    netpol = cli(stage)
    assert netpol("watch", "shop").code == 3
    assert netpol("resume", "shop").code == 0
    controller = Rounds(stage).controller
    stage.clock.subscribe(lambda now: controller.tick(Inline()), tick=7)
    found = netpol("watch", "shop")
    assert found.code == 0 and "Succeeded" in found.out


def test_watch_after_resume_has_an_end_where_nobody_carries_it_out(cli):
    stage = paused()
    netpol = cli(stage)
    netpol("resume", "shop")
    before = stage.clock.now()
    assert netpol("watch", "shop").code == 3
    assert (stage.clock.now() - before).total_seconds() == 30
