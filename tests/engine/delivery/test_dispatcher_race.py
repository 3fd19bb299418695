"""A worker and a courier on one rollout, interleaved call by call by a seed: neither loses what the other wrote."""

import threading

import pytest
from patience import ENOUGH
from receivers import Receivers, asking, courier
from stage import OWN, Stage, check, work
from test_race import Slow, Turns, Waiting

from orchestrator.context import ROLLOUT
from orchestrator.errors import NetpolCanaryError
from orchestrator.rollout.outbox import NO_NEWS
from orchestrator.rollout.resources.resource import load

SEEDS = 6


def telling(stage, ctx, looking):
    """What a controller does for its courier, until all was told."""
    while True:
        try:
            found = [load(o) for o in ctx.cluster.list(ROLLOUT, OWN)]
            looking.look(found)
        except NetpolCanaryError:
            continue
        ends = [r.status.phase in ("Succeeded", "RolledBack") for r in found]
        if any(ends) and not any(r.status.outbox for r in found):
            return
        ctx.clock.sleep(1)


@pytest.mark.parametrize("good", [True, False])
def test_all_is_told_once_in_order_while_the_rollout_goes_on(good):
    for seed in range(SEEDS):
        stage, receivers, turns, ends = asking(Stage(good)), Receivers(), Turns(seed, 2), {}
        before = stage.standing()

        def body(number, stage=stage, receivers=receivers, turns=turns, ends=ends):
            ctx = stage.context(Slow(stage, turns, number), clock=Waiting(stage, turns, number))
            try:
                if number == 0:
                    ends[0] = work(ctx, "worker", tries=200)
                else:
                    telling(stage, ctx, courier(ctx, receivers))
            except Exception as error:
                ends[number] = error
            finally:
                turns.leave(number)

        threads = [threading.Thread(target=body, args=(n,), daemon=True) for n in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(ENOUGH)
        assert 1 not in ends, (seed, ends)
        check(stage, before, ends[0])
        numbers = [int(m.id.rpartition("/")[2]) for m in receivers.messages]
        rollout = load(stage.cluster.list(ROLLOUT, OWN)[0])
        assert numbers == list(range(1, rollout.status.told + 1)), seed
        news = [t for t in rollout.status.transitions if t.reason not in NO_NEWS]
        assert len(news) == rollout.status.told, seed
