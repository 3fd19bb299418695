"""`get` takes what people type at kubectl."""

import json

import pytest
from stage import OWN, Stage

from orchestrator.context import ROLLOUT
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"


@pytest.fixture
def two(cli):
    """A stage with a rollout that waits for approval, and an older one that is done."""
    stage = Stage(gates=[m.Gate(wave=1)])
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    found = stage.cluster.get(ROLLOUT, NAME, OWN)
    meta = {"name": "an-older-one", "namespace": OWN, "labels": {"age": "old"}}
    done = stage.cluster.create({**found, "metadata": meta})
    stage.cluster.replace_status(
        {**done, "status": {**found["status"], "phase": "Succeeded", "pausedFor": ""}}
    )
    netpol.stage = stage
    return netpol


def names(done):
    assert done.code == 0, done.err
    return [line.split()[0] for line in done.out.splitlines()]


def test_what_waits_for_a_person_stands_first(two):
    assert names(two("get")) == ["NAME", NAME, "an-older-one"]


def test_one_or_several_are_asked_for_by_name(two):
    assert names(two("get", "prol", NAME)) == ["NAME", NAME]
    assert names(two("get", "rollouts", "an-older-one", NAME)) == ["NAME", "an-older-one", NAME]
    assert names(two("get", f"prol/{NAME}")) == ["NAME", NAME]
    printed = two("get", "-o", "name").out.split()
    assert two("get", *printed, "-o", "name").out.split() == printed


def test_labels_select(two):
    assert names(two("get", "-l", "age=old")) == ["NAME", "an-older-one"]
    assert names(two("get", "-l", "age!=old")) == ["NAME", NAME]


def test_all_namespaces_are_a_column(two):
    lines = two("get", "-A").out.splitlines()
    assert lines[0].split()[:2] == ["NAMESPACE", "NAME"] and lines[1].split()[:2] == [OWN, NAME]


def test_the_order_is_a_path(two):
    assert names(two("get", "--sort-by", ".metadata.name")) == ["NAME", "an-older-one", NAME]
    assert names(two("get", "--sort-by", "{.status.phase}")) == ["NAME", NAME, "an-older-one"]


def test_titles_are_left_out(two):
    assert names(two("get", "--no-headers")) == [NAME, "an-older-one"]
    none = two("get", "freezes", "--no-headers")
    assert none.out == "" and "No freezes" in none.err


def test_templates_of_kubectl(two):
    assert two("get", NAME.join(["prol/", ""]), "-o", "jsonpath={.status.phase}").out == "Paused"
    assert two("get", "-o", "jsonpath={.items[*].metadata.name}").out == f"{NAME} an-older-one"
    table = two("get", "-o", "custom-columns=WHO:.metadata.name,AT:.status.wave,NO:.spec.nothing").out
    assert [line.split() for line in table.splitlines()] == [
        ["WHO", "AT", "NO"],
        [NAME, "1", "<none>"],
        ["an-older-one", "1", "<none>"],
    ]
    assert json.loads(two("get", "prol", NAME, "an-older-one", "-o", "json").out)["kind"] == "List"


def test_a_watch_says_what_changes(two, monkeypatch):
    cluster = two.stage.cluster

    def changed(kind, namespace=None, labels="", *, since="", seconds):
        found = cluster.get(ROLLOUT, "an-older-one", OWN)
        for phase in ("Failed", "Failed", "RolledBack"):
            if found["status"]["phase"] != phase:
                found = cluster.replace_status({**found, "status": {**found["status"], "phase": phase}})
            yield from (
                e for e in watch(kind, namespace, labels, seconds=0) if e.obj["metadata"]["name"] != NAME
            )
        raise KeyboardInterrupt

    watch = cluster.watch
    monkeypatch.setattr(cluster, "watch", changed)
    done = two("get", "-w")
    assert done.code == 130
    assert [line.split()[0::2][:2] for line in done.out.splitlines()] == [
        ["NAME", "PHASE"],
        [NAME, "Paused"],
        ["an-older-one", "Succeeded"],
        ["an-older-one", "Failed"],
        ["an-older-one", "RolledBack"],
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["prol", NAME, "-l", "a=b"],
        ["prol", NAME, "-A"],
        ["prol/x", "y"],
        ["prol/x", "psrc/y"],
        ["prol", "psrc/y"],
        ["-l", "=b"],
        ["-o", "jsonpath"],
        ["-o", "jsonpath={"],
        ["-o", "custom-columns="],
        ["-o", "custom-columns=NAME"],
        ["-o", "wide=1"],
        ["--sort-by", ".items["],
        ["prol", "not-there"],
    ],
)
def test_what_cannot_be_answered_is_one_line_and_exit_code_2(two, args):
    done = two("get", *args)
    assert done.code == 2 and len(done.err.splitlines()) == 1 and done.out == "", done
