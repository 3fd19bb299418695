"""The whole application, asked by programs with tokens: over three namespaces in memory, or over the demo's shop."""

import pytest
from caller import Caller
from stage import Stage

from orchestrator.cli.demo import past, shop_demo
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.resources import model as m


@pytest.fixture
def asked():
    """A caller of the API over a stage, whose rollout has gone as far as it goes."""

    def made(good=True, stage=None, **strategy):
        stage = stage or Stage(good=good, **strategy)
        ctx = stage.context()
        found = Caller(ctx, stage.cluster, stage)
        found.name = start(ctx, find_source(ctx, "shop")).rollout
        Embedded(ctx, "test").drive(found.name)
        return found

    return made


@pytest.fixture
def waiting(asked):
    """A rollout whose canary is good and whose next wave waits for two engineers."""
    return asked(gates=[m.Gate(wave=1, approvals=1, groups=["engineers"])])


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The demo's data: four rollouts, one of which waits."""
    folder = tmp_path_factory.mktemp("demo")
    with shop_demo.repository(folder / "shop") as root:
        world, clock = past.world(1.0)
        ctx = past.played(world, clock, root, folder / "cache")
        yield Caller(ctx, world.cluster)
