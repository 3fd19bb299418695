"""A rollout whose canary stays watched, by one number for each namespace."""

from stage import OWN, Stage, work

from orchestrator.context import ROLLOUT, read
from orchestrator.engine.worker import Embedded
from orchestrator.errors import MetricError
from orchestrator.ports import Sample
from orchestrator.rollout.resources import model as m

NAME = "shop-cccccccccc"
ERRORS = m.MetricSpec(name="errors", query="errors", maximum=0.5)


class Gauge:
    """Answers every query with one value for each namespace, or not at all."""

    def __init__(self):
        self.value, self.asked = 0.0, []

    def query(self, expression, at):
        self.asked.append(at)
        if self.value is None:
            raise MetricError("nobody answers")
        return [Sample({"namespace": n}, self.value, at) for n in ("cart", "pay", "web")]


def watched(gauge=None, strategy=(), **analysis):
    """A stage on which that is measured, its gauge, and what stands there."""
    gauge = gauge or Gauge()
    stage = Stage(metrics=gauge, analysis={"metrics": [ERRORS], **analysis}, **dict(strategy))
    return stage, gauge, stage.standing()


def go_bad(stage, gauge, cause):
    """From now on the metric or the probes say that the change hurts."""
    if cause == "metric":
        gauge.value = 0.9
    else:
        stage.prober.turn_bad()


def go(stage, seconds=7):
    """Where the rollout stands once a worker looked at it after so many seconds."""
    stage.clock.sleep(seconds)
    return Embedded(stage.context(), "next").drive(NAME)


def first_wave(stage):
    """The context and the state of a rollout whose first wave is about to be written."""
    ctx = stage.context()
    begun = lambda: any((o.get("status") or {}).get("wavesStarted") for o in ctx.cluster.list(ROLLOUT, OWN))  # noqa: E731
    work(ctx, "w", stop=begun)
    return ctx, read(ctx, ctx.cluster.list(ROLLOUT, OWN)[0]["metadata"]["name"])


def seen(stage):
    """What was found in the canary."""
    return read(stage.context(), NAME).analyses[0].status
