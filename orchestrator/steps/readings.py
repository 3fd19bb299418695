"""Read a metric from its source: one query for a whole wave where it groups by namespace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from orchestrator.analysis.measurement import Reading
from orchestrator.analysis.query import resolve
from orchestrator.errors import MetricError
from orchestrator.ports import MetricSource
from orchestrator.rollout.model import MetricSpec


def read(
    source: MetricSource, metric: MetricSpec, namespaces: Sequence[str], window: int, at: datetime
) -> Reading:
    """Never raises for a metric: what could not be read is `broken`, with the query's text."""
    if metric.kind != "ratio":
        return _one(source, metric.query, namespaces, window, at)
    total = _one(source, metric.total, namespaces, window, at)
    errors = _one(source, metric.errors, namespaces, window, at)
    values = {}
    for name, count in total.values.items():
        if count > 0 and math.isfinite(count) and math.isfinite(errors.values.get(name, 0.0)):
            values[name] = errors.values.get(name, 0.0) / count
    broken = {**total.broken, **errors.broken}
    return Reading(values, dict(total.values), broken, f"{errors.query} / {total.query}")


def _one(
    source: MetricSource, template: str, namespaces: Sequence[str], window: int, at: datetime
) -> Reading:
    values: dict[str, float] = {}
    broken: dict[str, str] = {}
    queries = resolve(template, namespaces, window)
    for number, query in enumerate(queries):
        mine = namespaces if len(queries) == 1 else [namespaces[number]]
        try:
            samples = source.query(query, at)
        except MetricError as error:
            broken.update(dict.fromkeys(mine, f"{error} (query: {query})"))
            continue
        for sample in samples:
            name = sample.labels.get("namespace", mine[0] if len(mine) == 1 else "")
            if name in values:
                broken[name] = f"several series for {name} (query: {query})"
            if name in mine:
                values[name] = sample.value
    return Reading(values, {}, broken, queries[0] if len(queries) == 1 else template)
