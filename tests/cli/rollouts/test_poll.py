"""A person has a source's repository looked at now."""

from stage import Stage

from orchestrator.engine.lease import Lease
from orchestrator.errors import Conflict, Forbidden
from orchestrator.rollout.polling import REQUESTED_AT


class Busy:
    """A cluster where others write to the source at the same time."""

    def __init__(self, cluster, error, times):
        self._cluster, self._error, self.left = cluster, error, times

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    def replace(self, obj):
        self.left -= 1
        if self.left >= 0:
            raise self._error
        return self._cluster.replace(obj)


def test_the_request_stands_on_the_source_even_when_others_write_to_it(cli):
    stage = Stage()
    done = cli(stage)("poll", "shop")
    first = stage.shop().manifest["metadata"]["annotations"][REQUESTED_AT]
    assert done.code == 0 and "no controller runs at the moment" in done.out
    stage.clock.sleep(1)
    assert Lease(stage.context(), "controller", "one").acquire()
    stage.cluster = Busy(stage.cluster, Conflict("changed"), 3)
    again = cli(stage)("poll", "shop")
    assert again.code == 0 and "within seconds" in again.out
    assert stage.shop().manifest["metadata"]["annotations"][REQUESTED_AT] > first


def test_an_unknown_source_and_a_missing_right_are_said(cli):
    stage = Stage()
    done = cli(stage)("poll", "shoop")
    assert done.code == 2 and "there is no PolicySource shoop" in done.err
    stage.cluster = Busy(stage.cluster, Forbidden("eve may not"), 1)
    done = cli(stage)("poll", "shop")
    assert done.code == 1 and "update policysources" in done.err
