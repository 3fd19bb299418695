"""What people ask for takes effect though the controller writes into the same object at the same moment."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import OWN, Stage

from orchestrator.context import ROLLOUT, SOURCE
from orchestrator.errors import Conflict, Refused
from orchestrator.operations import poll, requests
from orchestrator.operations.start import start
from orchestrator.rollout.next import REQUEST

OTHERS = "others.example.com/written"


def touched(stage, kind, times, *verbs):
    """A port on which somebody else writes into every object of a kind just before each of the first writes."""

    def write(call):
        for obj in stage.cluster.list(kind, OWN):
            meta = obj["metadata"]
            count = str(int(meta.get("annotations", {}).get(OTHERS, "0")) + 1)
            notes = {**meta.get("annotations", {}), OTHERS: count}
            stage.cluster.replace({**obj, "metadata": {**meta, "annotations": notes}})

    return FaultyPort(stage.cluster, just_before(write, *verbs, at=range(1, times + 1), kind=kind.kind))


def blocked(stage, revision):
    source = stage.cluster.get(SOURCE, "shop", OWN)
    stage.cluster.replace_status(
        {**source, "status": {**source.get("status", {}), "blockedRevision": revision}}
    )


def test_a_blocked_revision_is_released_though_the_source_is_written_meanwhile():
    stage = Stage()
    blocked(stage, "c" * 40)
    ctx = stage.context(touched(stage, SOURCE, 3, "replace_status"))
    source, held = requests.release(ctx, stage.shop())
    assert held == "c" * 40 and not source.status.blocked_revision
    assert stage.shop().manifest["metadata"]["annotations"][OTHERS] == "3"


def test_a_revision_that_was_blocked_meanwhile_is_not_released_in_the_place_of_another():
    stage = Stage()
    blocked(stage, "c" * 40)
    seen = stage.shop()
    blocked(stage, "d" * 40)
    with pytest.raises(Refused, match="holds dddddddddd, not cccccccccc"):
        requests.release(stage.context(), seen)


def test_a_request_and_a_look_are_left_though_their_objects_are_written_meanwhile():
    stage = Stage()
    poll.look(stage.context(touched(stage, SOURCE, 3, "replace")), "shop")
    name = start(stage.context(), stage.shop()).rollout
    written = stage.context(touched(stage, ROLLOUT, 3, "replace"))
    requests.ask(written, requests.find_rollout(written, name), "abort")
    notes = stage.cluster.get(ROLLOUT, name, OWN)["metadata"]["annotations"]
    assert notes[OTHERS] == "3" and notes[REQUEST].startswith("abort/")


def test_whoever_is_never_let_in_is_told_after_a_while():
    stage = Stage()
    blocked(stage, "c" * 40)
    with pytest.raises(Conflict):
        requests.release(stage.context(touched(stage, SOURCE, 99, "replace_status")), stage.shop())
