"""Numbers from any JSON over HTTP: a path below the provider's address, and JMESPath for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.adapters.http.allowed_addresses import shown
from orchestrator.adapters.http.client import Client
from orchestrator.adapters.metrics.metric_sources import Settings
from orchestrator.adapters.metrics.provider_client import client, exchange, said
from orchestrator.errors import BadInput, MetricError
from orchestrator.ports import Clock, Sample

MOST_BYTES = 2 * 1024 * 1024
LATE = timedelta(seconds=30)  # how long ago may be asked about: such an API knows the present alone


def build(settings: Settings) -> JsonSource:
    """Raises BadInput for settings that cannot be meant, a broken `result` among them."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    provider = settings.provider
    where = f"the provider {provider.name}"
    if not provider.result:
        raise BadInput("it has no result", where, "set result to a JMESPath expression, such as data.value")
    try:
        result = jmespath.compile(provider.result)
    except JMESPathError as error:
        text = " ".join(str(error).split())[:200]
        raise BadInput(f"its result is not JMESPath: {text}", where, "correct result") from None
    asked = client(provider, settings.secret, MOST_BYTES, settings.identity)
    return JsonSource(asked, result, settings.clock)


@dataclass(frozen=True)
class JsonSource:
    """Implements `MetricSource`; `result` is a compiled JMESPath expression.

    It yields a number, or objects with `namespace` and `value`; null and an empty list are no data.
    """

    client: Client
    result: Any
    clock: Clock

    def query(self, expression: str, at: datetime) -> list[Sample]:
        if self.clock.now() - at > LATE:
            raise MetricError(
                f"{shown(self.client.url)} knows the present alone: limits that compare with the past "
                "(maxIncrease, minRatio) need Prometheus; take minimum and maximum"
            )
        status, body = exchange(self.client, self.clock, expression.strip() or "/")
        if status != 200:
            text = said(body)
            raise self.client.error(f"answered {status}{f': {text}' if text else ''}")
        return self._samples(body, at)

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        raise MetricError(f"{shown(self.client.url)} has no history: sequential tests need Prometheus")

    def _samples(self, body: Any, at: datetime) -> list[Sample]:
        from jmespath.exceptions import JMESPathError

        try:
            found = self.result.search(body)
        except (JMESPathError, TypeError, ValueError, RecursionError, ArithmeticError) as error:
            raise self._error(f"result fails on it: {error}") from None
        if found is None:
            return []
        if not isinstance(found, list):
            return [Sample({}, self._number(found), at)]
        return [self._row(row, at) for row in found]

    def _row(self, row: Any, at: datetime) -> Sample:
        if not isinstance(row, Mapping) or not isinstance(row.get("namespace"), str) or "value" not in row:
            raise self._error(
                f"result yields {self._short(row)} in a list, where namespace and value are wanted"
            )
        return Sample({"namespace": row["namespace"]}, self._number(row["value"]), at)

    def _number(self, value: Any) -> float:
        if not isinstance(value, bool | list | Mapping) and value is not None:
            with suppress(ValueError, OverflowError):
                return float(value)
        raise self._error(f"result yields {self._short(value)}, where a number is wanted")

    def _error(self, text: str) -> MetricError:
        return MetricError(self.client.clean(f"the answer of {shown(self.client.url)}: {text}"))

    def _short(self, value: Any) -> str:
        return self.client.clean(repr(value))[:60]  # what is secret is blotted out before it is cut in two
