"""What the sequential tests of one look say of each stream, and how a wave's streams share its part of alpha."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from orchestrator.analysis.sequential.alarm import Evidence, alarm_at, verdict_of
from orchestrator.analysis.sequential.counters import Increments
from orchestrator.context import Context
from orchestrator.measure.counts import Stream, scraped, streamed
from orchestrator.measure.kept_measurements import needed, record
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import WaveAnalysis

Key = tuple[str, str]  # metric, namespace
# Intervals without any scrape after which a series counts as gone; more where its past had longer gaps.
GONE = 2


def counted(ctx: Context, state: State, analysis: WaveAnalysis, at: datetime) -> list[m.MeasurementRecord]:
    """A record for each sequential metric in each watched namespace that has something to say of it."""
    found, streams = streamed(ctx, state, analysis, at, analysis.spec.watched)
    return [*found, *judged(state, analysis, at, streams)]


def judged(
    state: State, analysis: WaveAnalysis, at: datetime, streams: Sequence[Stream]
) -> list[m.MeasurementRecord]:
    """The streams of a wave share its part of alpha; which they are was settled before the change."""
    plan, waves = state.rollout.spec.strategy.analysis, len(state.rollout.spec.waves)
    limit = alarm_at(sum(not s.metric.dry_run for s in streams if s.past), waves, plan.alpha)
    evidence = said(streams, limit)
    joint = verdict_of(deciding(streams, evidence), plan.alpha, waves)
    loud = joint.worst if joint.alarm else None
    return recorded(state, analysis, at, streams, evidence, limit, loud)


def said(streams: Sequence[Stream], limit: float) -> dict[Key, Evidence]:
    """What each stream that has a past says, by metric and namespace, where the alarm is at this log evidence."""
    return {(s.metric.name, s.namespace): s.evidence(limit) for s in streams if s.past}


def deciding(streams: Sequence[Stream], evidence: Mapping[Key, Evidence]) -> dict[Key, Evidence]:
    """Without that of metrics that only run dry."""
    dry = {s.metric.name for s in streams if s.metric.dry_run}
    return {key: found for key, found in evidence.items() if key[0] not in dry}


def recorded(
    state: State,
    analysis: WaveAnalysis,
    at: datetime,
    streams: Sequence[Stream],
    evidence: Mapping[Key, Evidence],
    limit: float,
    loud: Key | None,
) -> list[m.MeasurementRecord]:
    """A record for each stream that has something to say; `loud` is the one that all together accuse."""
    found = []
    for stream in streams:
        key = (stream.metric.name, stream.namespace)
        known = evidence.get(key)
        alarm = known is not None and (known.peak >= limit or key == loud)
        must = needed(state, analysis, stream.metric, stream.namespace, quiet=not stream.busy)
        must = must or (stream.busy and stream.metric.required)
        phase = _phase(stream, known, alarm, must)
        if phase is not None:
            where = f"{key[1]}, its canary pods beside the others" if stream.siblings else key[1]
            item = record(key[0], key[1], at, phase[0], f"{key[0]} in {where}: {phase[1]}")
            values = {**_values(stream.metric, known), "query": stream.after.query[:8000]}
            found.append(item.model_copy(update=values))
    return found


def _phase(
    stream: Stream, evidence: Evidence | None, alarm: bool, must: bool
) -> tuple[m.MeasurementPhase, str] | None:
    """What a namespace's counts say; None where they say nothing and need not."""
    for side in (stream.before, stream.after):
        if stream.namespace in side.broken:
            return "Error", side.broken[stream.namespace]
    if evidence is None:
        text = "no data before the change, so there is nothing to compare with"
        return ("Inconclusive", text) if must else None
    if not scraped(stream.after.counts.get(stream.namespace)):
        return _gone(stream)
    if alarm:
        return "Failed", evidence.message
    if evidence.enough:
        return "Successful", evidence.message
    return ("Running" if must else "Pending"), evidence.message


def _gone(stream: Stream) -> tuple[m.MeasurementPhase, str]:
    """A series that was there before the change and is gone after it, unless the controls lost it as well."""
    before, after = stream.controls
    if before is not None and not scraped(after):
        return "Inconclusive", "vanished here and in the whole control group alike"
    if stream.after.length < GONE:
        return "Running", "nothing was scraped since the change yet"
    gap = longest_gap(stream.before.counts[stream.namespace].total)
    if stream.after.length <= gap:
        text = f"nothing was scraped since the change yet, nor for {gap} intervals in a row before it"
        return "Running", text
    alone = "" if before is not None else " (no control group: the baseline decides)"
    return "Failed", f"the counters were there before the change and are gone after it{alone}"


def longest_gap(counts: Increments) -> int:
    """How many intervals in a row nothing was scraped, between two in which something was."""
    scraped_in = [n for n, x in enumerate(counts) if x is not None]
    return max((b - a - 1 for a, b in pairwise(scraped_in)), default=0)


def _values(metric: m.MetricSpec, evidence: Evidence | None) -> dict[str, float | None]:
    """For a ratio shares of requests, for a volume requests: what was seen, and what was expected."""
    if evidence is None or (metric.kind == "ratio" and not evidence.exposure):
        return {}
    size = evidence.exposure if metric.kind == "ratio" else 1.0
    return {"value": evidence.seen / size, "baseline": evidence.expected / size}
