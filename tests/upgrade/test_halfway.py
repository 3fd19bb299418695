"""A rollout that a released version left in the middle of a wave is brought to its end, or rolled back, by this one."""

import json
from pathlib import Path

import pytest
import yaml
from halfway import freeze
from stage import SPACES, Rounds, Stage

from orchestrator.context import ROLLOUT, SOURCE
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.cluster import MemoryCluster

HERE = Path(__file__).parent
VERSIONS = sorted(p.parents[1].name for p in HERE.glob("v*/halfway/cluster.yaml"))


def objects(version):
    return yaml.safe_load_all((HERE / version / "halfway" / "cluster.yaml").read_text())


def before(version):
    """The names of the policies that stood before that rollout, by namespace."""
    frozen = {
        o["spec"]["namespace"]: o["spec"]["before"] for o in objects(version) if "before" in o.get("spec", {})
    }
    return {
        space: sorted(json.loads(t)["metadata"]["name"] for t in frozen.get(space, [])) for space in SPACES
    }


def renamed(text, uids):
    """The text with the uids of then as those of now."""
    for old, new in uids.items():
        text = text.replace(old, new)
    return text


def resumed(version):
    """A stage that holds exactly what the engine of then left."""
    stage = Stage()
    stage.cluster = MemoryCluster(stage.clock, user="eve", groups=("release-engineers",))
    stage.prober = type(stage.prober)(stage.cluster, True)
    uids, reported = {}, []  # a cluster gives its own; what names one of then names the one of now
    for obj in objects(version):
        made = stage.cluster.create(json.loads(renamed(json.dumps(obj), uids)))
        uids[obj["metadata"]["uid"]] = made["metadata"]["uid"]
        if obj["apiVersion"] == m.API_VERSION and "status" in obj:
            reported.append((made, obj["status"]))
    for made, status in reported:  # a source's names its rollout, which comes after it
        stage.cluster.replace_status({**made, "status": json.loads(renamed(json.dumps(status), uids))})
    return stage


def test_a_version_was_left_halfway():
    assert VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("abort", [False, True])
def test_it_is_brought_to_its_end_or_put_back(version, abort):
    stage = resumed(version)
    rounds = Rounds(stage)
    (name,) = rounds.rollouts()
    assert rounds.rollouts() == {name: "Progressing"} and stage.names() != before(version)
    if abort:
        rounds.ask(name, "abort")
    assert rounds.go(6) == {name: "RolledBack" if abort else "Succeeded"}
    asked = {space: ["allow", "deny"] for space in SPACES}
    assert {s: sorted(n) for s, n in stage.names().items()} == (before(version) if abort else asked)
    assert stage.cluster.list(SOURCE)[0]["status"]["activeRollout"] == ""


def test_a_freeze_holds_a_rollout_under_way(tmp_path):
    freeze(tmp_path)
    found = yaml.safe_load_all((tmp_path / "halfway" / "cluster.yaml").read_text())
    assert [o["status"]["phase"] for o in found if o["kind"] == ROLLOUT.kind] == ["Progressing"]
