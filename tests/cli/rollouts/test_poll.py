"""A person has a source's repository looked at now."""

import pytest
from faulty_port import FaultyPort, just_before
from stage import DENY, Inline, Rounds, Stage, files

from orchestrator.engine.lease import Lease
from orchestrator.errors import BadInput, Conflict, Forbidden
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


def working(stage):
    """A controller that makes a round every seven seconds from here on."""
    controller = Rounds(stage).controller
    stage.clock.subscribe(lambda now: controller.tick(Inline()), tick=7)


@pytest.mark.parametrize("command", [("watch", "shop"), ("poll", "shop", "--watch")])
def test_the_first_rollout_of_a_source_is_waited_for_and_followed(cli, command):
    stage = Stage()
    working(stage)
    done = cli(stage)(*command)
    assert done.code == 0, done.err
    assert "shop: waits for its first rollout; not polled yet\n" in done.out
    assert done.out.rstrip().endswith("shop-cccccccccc: Succeeded")


def test_what_ended_before_is_not_what_a_poll_is_followed_for(cli):
    stage = Stage()
    netpol = cli(stage)
    assert netpol("run", "--source", "shop").code == 0
    stage.repository.push("d", files(DENY))
    working(stage)
    done = netpol("poll", "shop", "--watch")
    assert done.code == 0 and "waits for the next rollout; not polled yet" in done.out
    assert "shop-cccccccccc: " not in done.out and "shop-dddddddddd: Succeeded" in done.out


def test_what_keeps_a_source_from_beginning_is_said_and_waiting_has_an_end(cli):
    stage = Stage()
    stage.repository.resolve = FaultyPort(
        stage.repository, just_before(BadInput("no such branch"), "resolve")
    ).resolve
    working(stage)
    done = cli(stage)("watch", "shop", "--timeout", "20")
    assert done.code == 3 and "shop: no rollout began in 20 s" in done.out
    assert "its first rollout; no such branch" in done.out
    for command in ("describe", "explain", "report", "pause"):
        done = cli(stage)(command, "shop")
        assert done.code == 2 and "the source shop has no rollout yet: no such branch" in done.err
