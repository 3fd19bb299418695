"""The demo's CiliumNetworkPolicy takes hold in the canary, and goes without a trace."""

from orchestrator.cli.demo import shop_demo
from orchestrator.context import POLICY
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.sandbox import shop
from orchestrator.sandbox.shop_source import SOURCE_NAME
from orchestrator.sandbox.world import build


def test_its_denial_stands_in_the_canary_alone_and_nothing_is_left_of_it(tmp_path):
    (scenario,) = [s for s in shop_demo.scenarios() if s.name == "cilium"]
    world, written = build(), []
    with shop_demo.repository(tmp_path / "shop") as root:
        ctx = shop_demo.prepare(world, root, tmp_path / "cache")
        before = world.cluster.list(POLICY)
        revision = shop_demo.commit(root, scenario.files, scenario.subject)

        def seen(*_):
            written.extend(o["metadata"]["namespace"] for o in world.cluster.list(shop.CILIUM))

        started = start(ctx, find_source(ctx, SOURCE_NAME), revision)
        state = Embedded(ctx, "demo", watch=seen).drive(started.rollout)
    assert state.rollout.status.phase == "RolledBack" and set(written) == {"payments"}
    assert world.cluster.list(POLICY) == before and world.cluster.list(shop.CILIUM) == []
