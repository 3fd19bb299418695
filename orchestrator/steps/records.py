"""Measurements as they are kept, and which of them a wave cannot do without."""

from __future__ import annotations

from datetime import datetime

from orchestrator.rollout import model as m
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import WaveAnalysis


def needed(state: State, analysis: WaveAnalysis, metric: m.MetricSpec, namespace: str) -> bool:
    """Whether a namespace must have data: it changes, the metric is required, and probes do not decide instead."""
    plan = state.rollout.spec.strategy.analysis
    instead = plan.on_no_traffic == "probes" and bool(analysis.spec.probes)
    return namespace in state.wave_names(analysis.spec.wave) and metric.required and not instead


def record(
    metric: str, namespace: str, at: datetime, phase: m.MeasurementPhase, message: str
) -> m.MeasurementRecord:
    """A measurement as it is kept."""
    return m.MeasurementRecord(
        metric=metric, namespace=namespace, time=at, phase=phase, message=message[:2000]
    )
