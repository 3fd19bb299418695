"""Numbers from a Prometheus-compatible API: /api/v1/query and /api/v1/query_range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.errors import MetricError
from orchestrator.ports import Sample

MOST_BYTES = 16 * 1024 * 1024


def access(secret: Mapping[str, bytes]) -> tuple[dict[str, str], tuple[str, str] | None]:
    """Headers and basic authentication from a Secret: bearer; username and password; header.NAME."""
    text = {k: v.decode(errors="replace").strip() for k, v in secret.items()}
    headers = {k.removeprefix("header."): v for k, v in text.items() if k.startswith("header.")}
    if text.get("bearer"):
        headers["Authorization"] = f"Bearer {text['bearer']}"
    basic = (text["username"], text.get("password", "")) if text.get("username") else None
    return headers, basic


@dataclass(frozen=True)
class PrometheusSource:
    """Implements `MetricSource`. `verify` is True, False or a CA file; `timeout` is in seconds."""

    url: str
    timeout: float = 10.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    verify: bool | str = True

    def query(self, expression: str, at: datetime) -> list[Sample]:
        return self._ask("query", {"query": expression, "time": f"{at.timestamp():.3f}"})

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        span = {"start": f"{start.timestamp():.3f}", "end": f"{end.timestamp():.3f}", "step": f"{step:g}"}
        return self._ask("query_range", {"query": expression, **span})

    def _ask(self, what: str, form: dict[str, str]) -> list[Sample]:
        import requests  # takes long to import, and most commands need no metrics

        url = f"{self.url.rstrip('/')}/api/v1/{what}"
        try:
            with requests.post(
                url,
                data={**form, "timeout": f"{self.timeout:g}s"},
                headers=dict(self.headers),
                auth=self.auth,
                timeout=self.timeout,
                verify=self.verify,
                stream=True,
                allow_redirects=False,
            ) as answer:
                body = _body(answer, self.timeout)
        except (requests.RequestException, ValueError) as error:
            raise MetricError(f"{url} gave no usable answer: {_short(error)}") from None
        if not isinstance(body, dict) or body.get("status") != "success":
            said = body.get("error", "") if isinstance(body, dict) else ""
            raise MetricError(f"{url} answered {answer.status_code}: {_short(said or 'not Prometheus')}")
        try:
            return _samples(body["data"])
        except (KeyError, TypeError, ValueError):
            raise MetricError(f"{url} answered with data of an unknown shape") from None


def _body(answer: Any, timeout: float) -> Any:
    """The JSON body, bounded in size and, together with the connection, in time."""
    import json
    import time

    deadline = time.monotonic() + timeout
    found = bytearray()
    for part in answer.iter_content(65536):
        found += part
        if len(found) > MOST_BYTES:
            raise ValueError(f"the answer is larger than {MOST_BYTES >> 20} MiB")
        if time.monotonic() > deadline:
            raise ValueError(f"the answer took longer than {timeout:g} s")
    try:
        return json.loads(bytes(found))
    except ValueError:
        raise ValueError(f"HTTP {answer.status_code}, not JSON") from None


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
    return Sample(dict(labels), float(pair[1]), datetime.fromtimestamp(float(pair[0]), UTC))


def _short(error: object) -> str:
    return " ".join(str(error).split())[:300]
