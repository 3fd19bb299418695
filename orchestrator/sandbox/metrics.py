"""Prometheus in memory: series, and the few forms of PromQL that the sandbox's strategies use.

`sum by (l) (increase(name{a="x",b=~"y|z"}[60s]))` and `sum by (l, m) (name{...})`, also without matchers.
"""

import re
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from orchestrator.errors import MetricError
from orchestrator.ports import Sample

_FORM = re.compile(
    r"\s*sum by \((\w+(?:, *\w+)*)\) \((?:(increase)\()?(\w+)(?:\{([^}]*)\})?(?:\[(\d+)s\]\))?\)\s*$",
    re.ASCII,
)
_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!=|=)\s*"([^"]*)"\s*')
LOOKBACK = timedelta(seconds=15)
MOST_SAMPLES = 2000


class MemoryMetrics:
    """Implements `MetricSource`; keeps the last samples of each series."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[datetime, float]]] = {}
        self._lock = threading.Lock()  # one thread scrapes while others ask

    def add(self, name: str, labels: Mapping[str, str], time: datetime, value: float) -> None:
        """One scraped sample."""
        with self._lock:
            kept = self._series.setdefault((name, tuple(sorted(labels.items()))), [])
            kept.append((time, value))
            del kept[:-MOST_SAMPLES]

    def query(self, expression: str, at: datetime) -> list[Sample]:
        match = _FORM.match(expression)
        if match is None:
            raise MetricError(f"the sandbox cannot evaluate: {expression}")
        group, increase, name, inner, window = match.groups()
        by, sums = [label.strip() for label in group.split(",")], dict[tuple[str, ...], float]()
        with self._lock:
            standing = [(key, list(samples)) for key, samples in self._series.items() if key[0] == name]
        for (_, labels), samples in standing:
            if not _matches(inner or "", dict(labels)):
                continue
            span = timedelta(seconds=int(window)) if increase else LOOKBACK
            seen = [v for t, v in samples if at - span < t <= at]
            value = _value(seen, bool(increase))
            if value is not None:
                key = tuple(dict(labels).get(label, "") for label in by)
                sums[key] = sums.get(key, 0.0) + value
        return [Sample(dict(zip(by, key, strict=True)), value, at) for key, value in sorted(sums.items())]

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        found: list[Sample] = []
        at = start
        while at <= end:
            found += self.query(expression, at)
            at += timedelta(seconds=step)
        return found


def _value(seen: list[float], increase: bool) -> float | None:
    if increase:
        return seen[-1] - seen[0] if len(seen) > 1 else None
    return seen[-1] if seen else None


def _matches(text: str, labels: Mapping[str, str]) -> bool:
    for name, sign, value in _MATCHER.findall(text):
        have = labels.get(name, "")
        holds = {
            "=": have == value,
            "!=": have != value,
            "=~": re.fullmatch(value, have) is not None if sign == "=~" else False,
        }[sign]
        if not holds:
            return False
    return True
