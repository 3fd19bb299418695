"""A person has a source's repository looked at now."""

from faulty_port import FaultyPort, just_before
from stage import Stage

from orchestrator.engine.lease import Lease
from orchestrator.errors import Conflict, Forbidden
from orchestrator.rollout.polling import REQUESTED_AT


def test_the_request_stands_on_the_source_even_when_others_write_to_it(cli):
    stage = Stage()
    done = cli(stage)("poll", "shop")
    first = stage.shop().manifest["metadata"]["annotations"][REQUESTED_AT]
    assert done.code == 0 and "no controller runs at the moment" in done.out
    stage.clock.sleep(1)
    assert Lease(stage.context(), "controller", "one").acquire()
    stage.cluster = FaultyPort(stage.cluster, just_before(Conflict("changed"), "replace", at=range(1, 4)))
    again = cli(stage)("poll", "shop")
    assert again.code == 0 and "within seconds" in again.out
    assert stage.shop().manifest["metadata"]["annotations"][REQUESTED_AT] > first


def test_an_unknown_source_and_a_missing_right_are_said(cli):
    stage = Stage()
    done = cli(stage)("poll", "shoop")
    assert done.code == 2 and "there is no PolicySource shoop" in done.err
    stage.cluster = FaultyPort(stage.cluster, just_before(Forbidden("eve may not"), "replace"))
    done = cli(stage)("poll", "shop")
    assert done.code == 1 and "update policysources" in done.err
