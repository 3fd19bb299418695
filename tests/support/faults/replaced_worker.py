"""A rollout of the shop whose worker dies at a write, and that another one goes on with."""

from cluster_wide import Evaluated
from faulty_port import WRITES, FaultyPort, Killed, kills
from sampling import sampled

from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start


def replaced(stage, at=0, late=False, prober=None):
    """How it ends, and the writes of the first worker, which lives where there is none of that number."""
    ctx = stage.context()
    name, death = start(ctx, find_source(ctx, "shop")).rollout, kills(at, late, *WRITES)
    judge = prober or Evaluated(stage.cluster)
    try:
        state = Embedded(stage.context(FaultyPort(stage.cluster, death), prober=judge), "first").drive(name)
    except Killed:
        state = Embedded(stage.context(prober=judge), "second").drive(name)
    return state, death


def deaths(calls):
    """Before and after the effect of each write; sampled, before or after one of those that one function makes in the same step."""
    cases = [(at, late) for at in range(1, len(calls.seen) + 1) for late in (True, False)]
    return sampled(cases, lambda case: calls.way(case[0]))
