"""An archive holds everything: what is read back tells the same as what was written."""

import json
from datetime import UTC, datetime

import pytest

from orchestrator.errors import BadInput
from orchestrator.record.archive import archive, states
from orchestrator.record.build import view
from orchestrator.record.report.markdown import report

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_what_is_read_back_tells_the_same(played):
    for state in played.values():
        text = json.dumps(archive(state))
        back = states(json.loads(text))[state.rollout.name]
        assert view(back, NOW) == view(state, NOW)
        assert report(view(back, NOW)) == report(view(state, NOW))
        assert json.dumps(archive(back)) == text


def test_several_rollouts_of_one_list_are_kept_apart(played):
    items = [item for state in played.values() for item in archive(state)["items"]]
    items.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}})
    found = states({"apiVersion": "v1", "kind": "List", "items": items})
    assert len(found) == 2
    for state in played.values():
        assert found[state.rollout.name].namespaces.keys() == state.namespaces.keys()


@pytest.mark.parametrize(
    "data",
    [None, 3, [], {}, {"kind": "List"}, {"kind": "List", "items": 3}, {"kind": "List", "items": [None]},
     {"kind": "List", "items": [{"kind": "PolicyRollout"}]}, {"kind": "List", "items": []}],
)  # fmt: skip
def test_what_is_no_archive_is_said(data):
    with pytest.raises(BadInput, match=r"^file\.json: "):
        states(data, "file.json")


def test_a_broken_object_is_named(played):
    made = archive(played["good-change"])
    made["items"][0] = {**made["items"][0], "spec": {"source": "shop"}}
    with pytest.raises(BadInput, match=r"file.json PolicyRollout/shop-.*: PolicyRollout spec\.revision"):
        states(made, "file.json")


def test_bookkeeping_of_field_managers_is_left_out(played):
    for item in archive(played["good-change"])["items"]:
        assert "managedFields" not in item["metadata"]
