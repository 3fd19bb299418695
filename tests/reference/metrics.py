"""docs/reference/metrics.md: every metric, from the registries that serve them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from stage import Stage

from orchestrator.engine.instruments import GuardInstruments, Instruments
from orchestrator.server.http_app import create
from orchestrator.server.parts import Parts
from orchestrator.server.settings import Settings
from reference.tables import cell, table

HEAD = """# Metrics

What the processes serve at `/metrics`, for Prometheus. This page is written from their registries by `make reference`.
[Alerts](../alerts.md) says which of them page somebody, and what to do then.

A histogram is also served as `_sum` and `_count`; counters and histograms also as `_created`, the time of their first
value.
"""
LABELS = {
    "rollouts.source": "the PolicySource",
    "rollouts.phase": "a [phase of rollouts](conditions.md#phases-of-a-policyrollout)",
    "emergency_rollouts.source": "the PolicySource",
    "paused_rollouts.source": "the PolicySource",
    "outbox_entries.source": "the PolicySource",
    "paused_rollouts.reason": "what a rollout [is paused for](conditions.md#phases-of-a-policyrollout)",
    "measurements.phase": "a [phase of measurements](conditions.md#phases-of-a-measurement)",
    "step_seconds.step": "the step: apply, analyze, restore and so on",
    "api_calls.verb": "get, list, create, replace, status, delete, watch, log, dry-run",
    "api_calls.kind": "the kind that the call is about",
    "api_calls.outcome": "ok, an HTTP status, or unreachable",
    "faults.part": "round, source, rollout, record, delivery or bridges: what was stopped by it",
    "reconciles.outcome": "ok or error",
    "deliveries.kind": "the kind of receiver",
    "deliveries.outcome": "sent, failed, given up or unwanted",
    "webhooks.host": "the Git host: the path below `/webhooks/`",
    "webhooks.status": "the HTTP status of the answer",
    "guard_rescues.phase": "a [phase of rollouts](conditions.md#phases-of-a-policyrollout)",
    "guard_rounds.outcome": "ok or error",
    "guard_faults.part": "round, rollout or bridges: what was stopped by it",
}
PREFIX = "netpol_canary_"
ENDINGS = {"counter": "_total", "gauge": "", "histogram": "_bucket"}


def served() -> CollectorRegistry:
    """What `serve` shows: the controller's metrics, and those of every part of the server."""
    registry = Instruments().registry
    keys = {"keys": ["0" * 64]}  # without any there is a warning, on every run
    create(Parts(Stage().context(), registry=registry), Settings.model_validate({"signin": keys}))
    return registry


def collectors(registry: CollectorRegistry) -> list[Any]:
    """Every metric of a registry, by name."""
    found = {id(c): c for c in registry._names_to_collectors.values()}
    return sorted(found.values(), key=lambda c: str(c._name))


def page() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD, "## serve and controller\n", _table(served())]
    return "\n".join([*parts, "\n## guard\n", _table(GuardInstruments().registry)])


def _table(registry: CollectorRegistry) -> str:
    rows = [
        (f"`{served_name(c)}`", c._type, "<br>".join(_labels(c)), cell(c._documentation))
        for c in collectors(registry)
    ]
    return table(("metric", "type", "labels", ""), rows)


def served_name(collector: Any) -> str:
    """As it stands in a query: a counter ends with _total, a histogram is asked for by its buckets."""
    return f"{collector._name}{ENDINGS[collector._type]}"


def _labels(collector: Any) -> Iterator[str]:
    for label in collector._labelnames:
        yield f"`{label}`: {LABELS[collector._name.removeprefix(PREFIX) + '.' + label]}"
