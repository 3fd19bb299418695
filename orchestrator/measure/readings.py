"""Read a metric from its source at a time: one query for a whole wave where it groups by namespace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.analysis.measurement import Reading
from orchestrator.measure.reader import Asking, read_at
from orchestrator.ports import MetricSource
from orchestrator.rollout.resources.model import MetricSpec


def read(
    source: MetricSource,
    metric: MetricSpec,
    namespaces: Sequence[str],
    window: int,
    at: datetime,
    known: Sequence[str] = (),
) -> Reading:
    """Never raises for a metric: what could not be read is `broken`, with the query's text. `known` as in `Asking`."""
    reading, _ = read_at(Asking(source, namespaces, window, known), metric, at)
    return reading
