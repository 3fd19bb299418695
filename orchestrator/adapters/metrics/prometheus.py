"""Numbers from Prometheus and everything that speaks its API: /api/v1/query and /api/v1/query_range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestrator.adapters.http.client import Client
from orchestrator.adapters.metrics.metric_sources import Settings
from orchestrator.adapters.metrics.provider_client import client, exchange
from orchestrator.ports import Clock, Sample

INFO = "PromQL info:"


def build(settings: Settings) -> PrometheusSource:
    """Raises BadInput for settings that cannot be meant."""
    asked = client(settings.provider, settings.secret, identity=settings.identity)
    return PrometheusSource(asked, settings.clock)


@dataclass(frozen=True)
class PrometheusSource:
    """Implements `MetricSource`."""

    client: Client
    clock: Clock

    def query(self, expression: str, at: datetime) -> list[Sample]:
        form = {"query": expression, "time": f"{at.timestamp():.3f}"}
        return self._ask("query", form, ("vector", "scalar"))

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        span = {"start": f"{start.timestamp():.3f}", "end": f"{end.timestamp():.3f}", "step": f"{step:g}"}
        return self._ask("query_range", {"query": expression, **span}, ("matrix",))

    def _ask(self, what: str, form: dict[str, str], kinds: Sequence[str]) -> list[Sample]:
        path = f"api/v1/{what}"
        timed = {**form, "timeout": f"{self.client.seconds:g}s"}
        status, body = exchange(self.client, self.clock, path, timed)
        if not isinstance(body, dict) or body.get("status") != "success":
            said = body.get("error") if isinstance(body, dict) else None
            raise self.client.error(f"answered {status}: {said or 'not Prometheus'}", path)
        if partly := _partial(body):
            raise self.client.error(f"gave a partial answer: {partly}", path)
        try:
            data = body["data"]
            if data["resultType"] not in kinds:
                text = f"answered with data of an unknown shape: a {data['resultType']}, where a {kinds[0]} is wanted"
                raise self.client.error(text, path)
            return _samples(data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, IndexError):
            raise self.client.error("answered with data of an unknown shape", path) from None


def _partial(body: Mapping[str, Any]) -> str:
    """Why an answer may lack something: `warnings` of Prometheus and Thanos, `isPartial` of VictoriaMetrics.

    Infos are about the query and leave nothing out; before Prometheus 3.0 they came among the warnings.
    """
    said = body.get("warnings") or []
    warnings = [str(w) for w in (said if isinstance(said, list) else [said])]
    left_out = [w for w in warnings if not w.startswith(INFO)]
    return "; ".join(left_out) or ("isPartial" if body.get("isPartial") else "")


def _samples(data: Mapping[str, Any]) -> list[Sample]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        return [_sample({}, result)]
    if kind == "matrix":
        return [_sample(series["metric"], pair) for series in result for pair in series["values"]]
    if kind != "vector":
        raise ValueError(kind)
    return [_sample(series["metric"], series["value"]) for series in result]


def _sample(labels: Mapping[str, str], pair: Any) -> Sample:
    time, value = pair
    if not isinstance(value, str) or not all(isinstance(v, str) for v in labels.values()):
        raise ValueError(value)
    return Sample(dict(labels), float(value), datetime.fromtimestamp(float(time), UTC))
