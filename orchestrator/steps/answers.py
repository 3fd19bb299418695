"""What a strategy's metrics answer now, and what is wrong with it, before anything depends on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.analysis.presets import expand
from orchestrator.analysis.query import resolve
from orchestrator.errors import BadInput, MetricError, PortError
from orchestrator.ports import MetricSource, Sample
from orchestrator.rollout import model as m

Sources = Callable[[m.Analysis, str], MetricSource | None]
MOST_ASKED = 20  # queries of one metric that asks for each namespace by itself
MOST_NAMED = 5
GRID = 15.0  # seconds between the two points that a sequential test's source must be able to give


@dataclass(frozen=True)
class Answer:
    """A metric's values by namespace; of a ratio, `of` is the total that the value is a share of.

    `problems` keep the metric from deciding, `notes` do not. `silent`: nothing at all came, or a query
    failed.
    """

    metric: m.MetricSpec
    queries: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    of: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    silent: bool = False

    @property
    def decides(self) -> bool:
        """Whether a rollout needs this metric."""
        return self.metric.required and not self.metric.dry_run


def unanswered(metrics: Sources, analysis: m.Analysis, namespaces: Sequence[str], now: datetime) -> list[str]:
    """The required metrics that nothing answers in any of the namespaces, each with the reason and its query.

    Raises BadInput for a preset that does not exist.
    """
    found = []
    for metric in analysis.metrics:
        if metric.required and not metric.dry_run:
            given = answer(metrics, analysis, metric, namespaces, now)
            if given.silent:
                found.append(f"the metric {metric.name}: {'; '.join(given.problems)}")
    return found


def answer(
    metrics: Sources, analysis: m.Analysis, metric: m.MetricSpec, namespaces: Sequence[str], at: datetime
) -> Answer:
    """Of one metric. Raises BadInput for a preset that does not exist; all else is one of its problems."""
    metric = expand(metric)
    try:
        source = metrics(analysis, metric.provider)
    except (BadInput, PortError) as error:
        return Answer(metric, problems=(f"the provider {metric.provider}: {error}",), silent=True)
    if source is None:
        text = f"no provider {metric.provider} is set up (analysis.providers, or prometheus.url)"
        return Answer(metric, problems=(text,), silent=True)
    parts = [
        _Part(source, metric, text, namespaces, analysis.window_seconds, at) for text in templates(metric)
    ]
    if metric.kind == "ratio":
        return _ratio(metric, parts[0], parts[1], namespaces)
    (part,) = parts
    silent = part.failed or not part.values
    problems = part.problems if part.problems or part.values else [_nothing(part, namespaces)]
    return Answer(
        metric, tuple(part.queries), part.values, {}, tuple(problems), _missing(part, namespaces), silent
    )


def templates(metric: m.MetricSpec) -> list[str]:
    """A metric's query, or errors and total."""
    return [metric.errors, metric.total] if metric.kind == "ratio" else [metric.query]


def _ratio(metric: m.MetricSpec, errors: _Part, total: _Part, namespaces: Sequence[str]) -> Answer:
    values = {n: errors.values.get(n, 0.0) / count for n, count in total.values.items() if count > 0}
    problems = list(dict.fromkeys([*total.problems, *errors.problems]))
    if not total.values and not total.problems:
        problems.append(_nothing(total, namespaces))
    idle = [n for n in total.values if n not in values]
    notes = _missing(total, namespaces)
    notes += (f"no traffic in {named(idle)}",) if idle else ()
    silent = total.failed or errors.failed or not total.values
    queries = (*errors.queries, *total.queries)
    return Answer(metric, queries, values, total.values, tuple(problems), notes, silent)


def _nothing(part: _Part, namespaces: Sequence[str]) -> str:
    many = f"any of {len(namespaces)} namespaces" if len(namespaces) != 1 else namespaces[0]
    return f"nothing is answered for {many} (query: {part.queries[0][:500]})"


def _missing(part: _Part, namespaces: Sequence[str]) -> tuple[str, ...]:
    missing = [n for n in namespaces if n not in part.values]
    return (f"nothing for {named(missing)}",) if part.values and missing else ()


def named(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


class _Part:
    """One template's answers: values by namespace, problems, and whether a query failed."""

    def __init__(
        self,
        source: MetricSource,
        metric: m.MetricSpec,
        template: str,
        namespaces: Sequence[str],
        window: int,
        at: datetime,
    ) -> None:
        self.values: dict[str, float] = {}
        self.problems: list[str] = []
        self.failed = not template
        self._sequential = metric.test == "sequential"
        if not template:
            self.queries: list[str] = []
            self.problems.append(f"a {metric.kind} without its query: give {_wanted(metric)}, or a preset")
            return
        self.queries = resolve(template, namespaces, window)
        for number, query in enumerate(self.queries[:MOST_ASKED]):
            mine = namespaces if len(self.queries) == 1 else [namespaces[number]]
            try:
                self._sort(source.query(query, at), mine, query)
                if self._sequential and number == 0:
                    source.query_range(query, at - timedelta(seconds=GRID), at, GRID)
            except MetricError as error:
                self.failed = True
                self._problem(str(error), query)

    def _sort(self, samples: Sequence[Sample], mine: Sequence[str], query: str) -> None:
        for sample in samples:
            name = sample.labels.get("namespace", mine[0] if len(mine) == 1 else "")
            if not name:
                labels = ", ".join(sample.labels) or "none"
                self._problem(f"a series without a namespace label (its labels: {labels})", query)
            elif name not in mine:
                continue
            elif math.isnan(sample.value):
                self._problem(f"NaN in {name}: where a share is divided out, take kind ratio", query)
            elif name in self.values and not self._sequential:
                self._problem(f"several series in {name}: sum by (namespace)", query)
            else:
                self.values[name] = self.values.get(name, 0.0) + sample.value

    def _problem(self, text: str, query: str) -> None:
        if len(self.problems) < MOST_NAMED:
            self.problems.append(f"{text} (query: {query[:500]})")


def _wanted(metric: m.MetricSpec) -> str:
    return "errors and total" if metric.kind == "ratio" else "query"
