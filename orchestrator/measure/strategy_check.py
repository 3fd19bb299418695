"""What a strategy's metrics answer now, and what is wrong with it, before anything depends on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.analysis.queries.presets import expand
from orchestrator.analysis.queries.providers import amiss
from orchestrator.errors import BadInput, PortError
from orchestrator.measure.reader import Asking, Grid, read_at, read_range, templates, window_of
from orchestrator.ports import MetricSource
from orchestrator.rollout.resources import model as m
from orchestrator.wording import few

Sources = Callable[[m.Analysis, str], MetricSource | None]
MOST_ASKED = 20  # queries of one metric that asks for each namespace by itself
MOST_NAMED = 5
GRID = 15.0  # seconds between the two points that a sequential test's source must be able to give


@dataclass(frozen=True)
class Answer:
    """A metric's values by namespace; of a ratio, `of` is the total that the value is a share of.

    `problems` keep the metric from deciding, `notes` do not. `silent`: nothing at all came, or an answer cannot be
    used.
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
        return _decides(self.metric)


def unanswered(metrics: Sources, analysis: m.Analysis, namespaces: Sequence[str], now: datetime) -> list[str]:
    """The required metrics that nothing answers in any of the namespaces, each with the reason and its query.

    Raises BadInput for a preset that does not exist.
    """
    found = []
    for metric in analysis.metrics:
        if _decides(metric):
            given = answer(metrics, analysis, metric, namespaces, now)
            if given.silent:
                found.append(f"the metric {metric.name}: {'; '.join(given.problems)}")
    return found


def unjudged(analysis: m.Analysis, able: bool) -> str:
    """Why waves would be promoted without evidence; empty where something judges them. `able`: whether probes can run."""
    if any(_decides(metric) for metric in analysis.metrics) or (able and _tries(analysis)):
        return ""
    lacking = (
        "no metric decides: each is optional or a dryRun" if analysis.metrics else "there are no metrics"
    )
    if _tries(analysis):
        return f"{lacking}, and no connection can be tried, since no image for probe pods is known"
    return f"{lacking}, and no probes are asked for"


def asks(analysis: m.Analysis) -> bool:
    """Whether evidence is asked for at all: who asks for none goes on without."""
    return bool(analysis.metrics) or _tries(analysis)


def _decides(metric: m.MetricSpec) -> bool:
    return metric.required and not metric.dry_run


def _tries(analysis: m.Analysis) -> bool:
    return bool(analysis.probes) or analysis.probing.edges or analysis.probe_intents


def answer(
    metrics: Sources, analysis: m.Analysis, metric: m.MetricSpec, namespaces: Sequence[str], at: datetime
) -> Answer:
    """Of one metric. Raises BadInput for a preset that does not exist; all else is one of its problems."""
    metric = expand(metric)
    try:
        source = metrics(analysis, metric.provider)
    except (BadInput, PortError) as error:
        return Answer(metric, problems=(amiss(metric.provider, error),), silent=True)
    if source is None:
        text = f"no provider {metric.provider} is set up (analysis.providers, or prometheus.url)"
        return Answer(metric, problems=(text,), silent=True)
    missing = [text for text in templates(metric) if not text]
    if missing:
        text = f"a {metric.kind} without its query: give {_wanted(metric)}, or a preset"
        return Answer(metric, problems=(text,), silent=True)
    asking = Asking(source, namespaces, window_of(analysis, metric), most=MOST_ASKED)
    reading, queries = read_at(asking, metric, at)
    broken = {**reading.broken, **_pastless(asking, metric, at)}
    values = {n: v for n, v in reading.values.items() if n not in broken}
    problems = list(dict.fromkeys([*broken.values(), *reading.unclear.values()]))
    of = dict(reading.samples)
    if not (of or values or problems):
        problems.append(_nothing(queries, metric, namespaces))
    silent = bool(broken) or not (of or values)
    notes = _notes(values, of, namespaces)
    return Answer(metric, tuple(queries), values, of, tuple(problems[:MOST_NAMED]), notes, silent)


def _pastless(asking: Asking, metric: m.MetricSpec, at: datetime) -> dict[str, str]:
    """Why a sequential test would have no counters over a time; the first query of each template is asked."""
    if metric.test != "sequential":
        return {}
    grid = Grid(at - timedelta(seconds=GRID), at, GRID)
    one = replace(asking, most=1)
    return {n: t for text in templates(metric) for n, t in read_range(one, text, metric, grid).broken.items()}


def _nothing(queries: Sequence[str], metric: m.MetricSpec, namespaces: Sequence[str]) -> str:
    many = f"any of {len(namespaces)} namespaces" if len(namespaces) != 1 else namespaces[0]
    query = queries[-1] if metric.kind == "ratio" else queries[0]
    return f"nothing is answered for {many} (query: {query[:500]})"


def _notes(
    values: Mapping[str, float], of: Mapping[str, float], namespaces: Sequence[str]
) -> tuple[str, ...]:
    answered = of or values
    missing = [n for n in namespaces if n not in answered]
    idle = [n for n, count in of.items() if not count]
    notes = (f"nothing for {few(missing, MOST_NAMED)}",) if answered and missing else ()
    return notes + ((f"no traffic in {few(idle, MOST_NAMED)}",) if idle else ())


def _wanted(metric: m.MetricSpec) -> str:
    return "errors and total" if metric.kind == "ratio" else "query"
