"""Measurements as they are kept, and which of them a wave cannot do without."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.analysis.queries.providers import amiss
from orchestrator.context import Context
from orchestrator.errors import BadInput
from orchestrator.ports import MetricSource, Sample
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built
from orchestrator.rollout.resources.resource import WaveAnalysis

MOST_KEPT = 1000
MOST_TEXT = 150_000  # characters of messages, and of queries, that fit into one object beside everything else


def kept(
    records: Sequence[m.MeasurementRecord], most: int = MOST_KEPT, text: int = MOST_TEXT
) -> list[m.MeasurementRecord]:
    """What one object can hold: good ones go first, the oldest of them at first; then the oldest queries and messages."""
    dropped = len(records) - most
    if dropped > 0:
        order = sorted(
            range(len(records)), key=lambda n: (records[n].phase not in ("Successful", "Pending"), n)
        )
        gone = set(order[:dropped])
        records = [r for n, r in enumerate(records) if n not in gone]
    found: list[m.MeasurementRecord] = []
    queries = messages = 0
    for item in reversed(records):
        queries, messages = queries + len(item.query), messages + len(item.message)
        short = {
            **({"query": ""} if queries > text else {}),
            **({"message": item.message[:100]} if messages > text else {}),
        }
        found.append(item.model_copy(update=short) if short else item)
    return found[::-1]


def tallied(known: Sequence[m.Truncated], dropped: int) -> list[m.Truncated]:
    """How many measurements were left out, with those that were dropped now."""
    before = next((c.count for c in known if c.field == "measurements"), 0)
    others = [c for c in known if c.field != "measurements"]
    more = before + dropped
    return [*others, m.Truncated(field="measurements", count=more)] if more else others


@dataclass(frozen=True)
class Beating:
    """A source that is asked many things in a row, each of which may time out: before each the worker keeps its place."""

    source: MetricSource
    beat: Callable[[], None]

    def query(self, expression: str, at: datetime) -> list[Sample]:
        self.beat()
        return self.source.query(expression, at)

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        self.beat()
        return self.source.query_range(expression, start, end, step)


def provider(ctx: Context, plan: m.Analysis, name: str) -> MetricSource | str:
    """Who answers queries; said where there is none, or its settings are wrong by now."""
    try:
        found = ctx.metrics(plan, name)
        return Beating(found, ctx.beat) if found is not None else f"no provider {name} is set up"
    except BadInput as error:
        return amiss(name, error)


def needed(
    state: State, analysis: WaveAnalysis, metric: m.MetricSpec, namespace: str, quiet: bool = True
) -> bool:
    """Whether a namespace must have data: it changes, and the metric is required.

    Where it is quiet, without traffic before and after, probes may decide instead. One that the source does not select, which
    changes with the whole cluster, need not have what the source's namespaces have.
    """
    frozen = state.rollout.spec
    plan = frozen.strategy.analysis
    instead = quiet and plan.on_no_traffic == "probes" and bool(analysis.spec.probes)
    own = namespace in state.wave_names(analysis.spec.wave) and namespace in {
        *frozen.selected,
        *frozen.written,
    }
    return own and metric.required and not instead


def record(
    metric: str, namespace: str, at: datetime, phase: m.MeasurementPhase, message: str
) -> m.MeasurementRecord:
    """A measurement as it is kept."""
    given = {"metric": metric, "namespace": namespace, "time": at, "phase": phase}
    return built(m.MeasurementRecord, message=message[:2000], **given)
