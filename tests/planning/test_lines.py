"""What a status says is one line that fits a table; the whole of it stands once, in `details`."""

import pytest
from stage import OWN, Rounds, Stage, work

from orchestrator.errors import BadInput
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import LINE, sentence
from orchestrator.rollout.resources.conditions import detailed, put, reasoned, whole
from orchestrator.rollout.resources.resource import load
from orchestrator.sandbox.clock import START

KINDS = ("PolicySource", "PolicyRollout", "WaveAnalysis", "NamespaceRollout")


def lines(stage):
    """Every reason and every message of a condition or a transition that our objects hold."""
    for kind in KINDS:
        for obj in stage.cluster.list(Kind(m.API_VERSION, kind), OWN):
            status = obj.get("status") or {}
            yield from (c["message"] for c in status.get("conditions") or [])
            yield from (t["message"] for t in status.get("transitions") or [])
            yield status.get("reason", "")


@pytest.mark.parametrize("good", [True, False])
def test_every_line_of_a_rollout_fits(good):
    stage = Stage(good=good)
    status = work(stage.context(), "one").rollout.status
    assert status.phase == ("Succeeded" if good else "RolledBack")
    assert all(len(line) <= LINE and "\n" not in line for line in lines(stage))


def test_why_it_was_rolled_back_stands_once_and_whole():
    stage = Stage(good=False)
    status = work(stage.context(), "one").rollout.status
    first, *rest = status.details.splitlines()
    assert status.reason == first and len(rest) == 4 and rest[0].startswith("connections: ")
    told = stage.cluster.list(Kind(m.API_VERSION, "PolicyRollout"), OWN)[0]["status"]
    assert str(told).count(rest[1]) == 1


def test_a_very_long_reason_is_cut_and_kept():
    text = "a" * 150 + " and so on" * 400
    assert reasoned(text)["reason"] == sentence(text) and len(sentence(text)) == LINE
    assert len(reasoned(text)["details"]) == 4096 and reasoned("short") == {"reason": "short", "details": ""}


def test_a_condition_s_details_go_when_it_says_something_short():
    long = "x" * 3000
    conditions, details = put([], "Ready", "False", "BadInput", long, START), detailed([], "Ready", long)
    assert len(conditions[0].message) == LINE and whole(conditions, details, "Ready") == long
    conditions, details = (
        put(conditions, "Ready", "True", "Fine", "ok", START),
        detailed(details, "Ready", "ok"),
    )
    assert details == [] and whole(conditions, details, "Ready") == "ok"


def test_what_is_wrong_with_a_source_is_a_line_and_its_details():
    stage = Stage()

    def refuse(ref=""):
        raise BadInput("no good: " + "a/very/long/path " * 40, "file.yaml:1", "mend it")

    stage.repository.resolve = refuse
    Rounds(stage).go()
    status = load(stage.cluster.get(Kind(m.API_VERSION, "PolicySource"), "shop", OWN)).status
    ready = next(c for c in status.conditions if c.type == "Ready")
    assert (ready.status, len(ready.message)) == ("False", LINE)
    assert "mend it" in whole(status.conditions, status.details, "Ready")


def test_a_status_from_before_with_a_long_reason_is_still_read():
    stage = Stage()
    name = work(stage.context(), "one").rollout.name
    kind = Kind(m.API_VERSION, "PolicyRollout")
    old = stage.cluster.get(kind, name, OWN)
    stage.cluster.replace_status({**old, "status": {**old["status"], "reason": "y" * 4000}})
    assert load(stage.cluster.get(kind, name, OWN)).status.said == "y" * 4000
