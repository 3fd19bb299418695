"""A worker and a courier on one rollout, interleaved call by call by a seed: neither loses what the other wrote."""

import pytest
from interleaved import Turns
from receivers import Receivers, asking, courier
from stage import OWN, Stage, check, work

from orchestrator.context import ROLLOUT
from orchestrator.errors import NetpolCanaryError
from orchestrator.rollout.outbox import NO_NEWS
from orchestrator.rollout.resources.resource import load

SEEDS = 6


def telling(ctx, looking):
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
        stage, receivers = asking(Stage(good)), Receivers()
        before, turns = stage.standing(), Turns(stage, seed, 2)

        def worker(turns=turns):
            return work(turns.context(0), "worker", tries=200)

        def teller(turns=turns, receivers=receivers):
            ctx = turns.context(1)
            telling(ctx, courier(ctx, receivers))

        ends = turns.play(worker, teller)
        assert ends[1] is None, (seed, ends)
        check(stage, before, ends[0])
        numbers = [int(m.id.rpartition("/")[2]) for m in receivers.messages]
        rollout = load(stage.cluster.list(ROLLOUT, OWN)[0])
        assert numbers == list(range(1, rollout.status.notification_sequence + 1)), seed
        news = [t for t in rollout.status.transitions if t.reason not in NO_NEWS]
        assert len(news) == rollout.status.notification_sequence, seed
