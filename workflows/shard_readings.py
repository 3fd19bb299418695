"""A wave's metrics read by several workers at once: each measures its namespaces at a look, one puts it together."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.analysis.sequential.alarm import Share, alarm_at, share_of, together
from orchestrator.context import Context
from orchestrator.measure.counts import streamed
from orchestrator.measure.kept_measurements import kept, record
from orchestrator.measure.metrics_look import calmed, thresholds
from orchestrator.measure.sequential_look import Key, deciding, recorded, said
from orchestrator.measure.vanished import remaining, vanished
from orchestrator.rollout.next import State
from orchestrator.rollout.order.shards import part
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built
from orchestrator.rollout.resources.resource import WaveAnalysis

MOST_KEPT = 600  # records of a look in all readings of a wave, beside those that the analysis keeps
MOST_TEXT = 60_000  # characters of their messages, and of their queries


def measure(
    ctx: Context, state: State, analysis: WaveAnalysis, at: datetime, shard: int, shards: int
) -> m.ShardReading:
    """What one of the readers has to say of its share of the watched namespaces; nothing is written."""
    gone = vanished(ctx, state, analysis)
    watched = [n for n in part(analysis.spec.watched, shard, shards) if n not in gone]
    analysis = remaining(analysis, gone)
    check = analysis.status.checks + 1
    if not watched:
        return m.ShardReading(shard=shard, check=check)
    plan, waves = state.rollout.spec.strategy.analysis, len(state.rollout.spec.waves)
    held = thresholds(ctx, state, analysis, at, watched)
    mute, streams = streamed(ctx, state, analysis, at, watched)
    # How many streams the others have is not known here: as many as there can be, which is the stricter bound.
    counted = sum(s.test == "sequential" and not s.dry_run for s in plan.metrics)
    limit = alarm_at(counted * len(analysis.spec.watched), waves, plan.alpha)
    evidence = said(streams, limit)
    found = calmed(plan, held, [*mute, *recorded(state, analysis, at, streams, evidence, limit, None)])
    share: Share[Key] = share_of(deciding(streams, evidence))
    metric, namespace = share.worst or ("", "")
    return built(
        m.ShardReading,
        shard=shard,
        check=check,
        measurements=_fitting(found, shards),
        streams=share.streams,
        evidence=share.evidence,
        worst_metric=metric,
        worst_namespace=namespace,
        worst_peak=share.peak,
    )


def _fitting(records: Sequence[m.MeasurementRecord], shards: int) -> list[m.MeasurementRecord]:
    """What there is room for: all that is not good, one good one of each metric, then the rest."""
    first: dict[str, m.MeasurementRecord] = {}
    for item in records:
        if item.phase == "Successful":
            first.setdefault(item.metric, item)
    chosen = [r for r in records if not any(r is f for f in first.values())]
    return kept([*chosen, *first.values()], MOST_KEPT // shards, MOST_TEXT // shards)


def noted(analysis: WaveAnalysis, reading: m.ShardReading) -> m.WaveAnalysisStatus:
    """The analysis' status with a reader's latest reading in place of its last."""
    others = [r for r in analysis.status.shards if r.shard != reading.shard]
    ordered = sorted([*others, reading], key=lambda r: r.shard)
    return analysis.status.model_copy(update={"shards": ordered})


def read_by_all(analysis: WaveAnalysis, shards: int) -> bool:
    """Whether every reader has measured at the look that comes."""
    check = analysis.status.checks + 1
    return {r.shard for r in analysis.status.shards if r.check == check} >= set(range(shards))


def gathered(state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    """What all readers measured at the look that comes, with what their streams say together."""
    plan, waves = state.rollout.spec.strategy.analysis, len(state.rollout.spec.waves)
    check = analysis.status.checks + 1
    readings = [r for r in analysis.status.shards if r.check == check]
    found = [item for reading in readings for item in reading.measurements]
    shares = [
        Share(r.streams, r.evidence, (r.worst_metric, r.worst_namespace), r.worst_peak) for r in readings
    ]
    joint = together(shares, plan.alpha, waves)
    if not joint.alarm or joint.worst is None:
        return found
    return _accused(found, joint.worst, at)


def _accused(records: Sequence[m.MeasurementRecord], worst: Key, at: datetime) -> list[m.MeasurementRecord]:
    """With the loudest stream's record as Failed."""
    text = f"{worst[0]} in {worst[1]}: the wave's streams together are past their bound, this one most"
    mine = next((r for r in records if (r.metric, r.namespace) == worst), None)
    known = mine or record(*worst, at, "Failed", text)
    accused = known.model_copy(update={"phase": "Failed", "message": known.message or text})
    return [*(r for r in records if r is not mine), accused]
