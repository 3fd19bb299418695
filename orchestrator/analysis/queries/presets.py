"""Metrics that name a preset become concrete ones; what the metric says itself wins."""

from typing import Any

from orchestrator.analysis.queries.catalog import PRESETS, Preset
from orchestrator.errors import BadInput
from orchestrator.rollout.resources import model as m

LIMITS = ("minimum", "maximum", "max_increase", "min_ratio")
# For a metric without any limit: one request in fifty more may fail, half of the requests may go missing.
DEFAULTS = {"ratio": {"max_increase": 0.02}, "volume": {"min_ratio": 0.5}}


def expanded(analysis: m.Analysis) -> m.Analysis:
    """The same analysis with every preset's queries and limits filled in; a second time changes nothing.

    Raises BadInput for a preset that does not exist, or has no queries of the metric's kind.
    """
    return analysis.model_copy(update={"metrics": [expand(metric) for metric in analysis.metrics]})


def expand(metric: m.MetricSpec) -> m.MetricSpec:
    """One metric; one that has its queries already stays as it is, whatever preset it once came from."""
    if not metric.preset or complete(metric):
        return metric
    where = f"analysis.metrics[{metric.name}].preset"
    preset = PRESETS.get(metric.preset)
    if preset is None:
        raise BadInput(f"there is no preset {metric.preset}", where, f"take one of {', '.join(PRESETS)}")
    kind = metric.kind
    if kind == "value" and "value" not in preset.kinds:  # `value` is also what a metric without a kind says
        kind = preset.kinds[0]  # type: ignore[assignment]
    if kind not in preset.kinds:
        raise BadInput(
            f"the preset {preset.name} has no {kind}", where, f"take kind {' or '.join(preset.kinds)}"
        )
    if preset.provider != "prometheus" and metric.test == "sequential":
        raise BadInput(
            f"the preset {preset.name} has no history for a sequential test", where, "take test: threshold"
        )
    given = {k: v for k, v in queries(preset, kind, metric.test).items() if not getattr(metric, k)}
    if metric.provider == "prometheus":
        given["provider"] = preset.provider
    return metric.model_copy(update={"kind": kind, **given, **_limits(preset, kind, metric)})


def queries(preset: Preset, kind: str, test: str) -> dict[str, Any]:
    """The preset's queries as a metric's fields: errors and total, or query."""
    form: Any = test
    if kind == "ratio" and preset.errors and preset.total:
        return {"errors": preset.errors.promql(form), "total": preset.total.promql(form)}
    if kind == "volume" and preset.volume:
        return {"query": preset.volume.promql(form)}
    return {"query": preset.queries[kind]}


def complete(metric: m.MetricSpec) -> bool:
    """Whether the metric says itself what to ask."""
    return bool(metric.errors and metric.total) if metric.kind == "ratio" else bool(metric.query)


def _limits(preset: Preset, kind: str, metric: m.MetricSpec) -> dict[str, float]:
    if any(getattr(metric, name) is not None for name in LIMITS):
        return {}
    found = dict(preset.limits or DEFAULTS.get(kind, {}))
    if metric.test == "sequential":
        found.pop("max_increase", None)  # there, `tolerance` says how much is too much
    return found
