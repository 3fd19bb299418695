"""What a wave was judged by: curves of its metrics, its probes, the connections of its diff."""

from collections.abc import Iterable

from orchestrator.analysis.agreement import Row, agreement
from orchestrator.analysis.probe_answers import Asked, asked
from orchestrator.record.curve_bounds import excess
from orchestrator.record.view import Attempt, Curve, Link, LinkChange, Point
from orchestrator.rollout.notifications.connection_words import LIVE
from orchestrator.rollout.resources.model import (
    Analysis,
    Answer,
    MeasurementPhase,
    MeasurementRecord,
    MetricSpec,
    WaveAnalysisSpec,
    WaveAnalysisStatus,
    WaveEdge,
)

BAD_FIRST: tuple[MeasurementPhase, ...] = ("Failed", "Error", "Inconclusive")


def curves(plan: Analysis, status: WaveAnalysisStatus) -> tuple[Curve, ...]:
    """One for each metric and namespace, the worst first, else in the order of the strategy."""
    grouped: dict[tuple[str, str], list[MeasurementRecord]] = {}
    for record in status.measurements:
        grouped.setdefault((record.metric, record.namespace), []).append(record)
    specs = {spec.name: spec for spec in plan.metrics}
    order = {name: number for number, name in enumerate(specs)}
    found = [_curve(specs.get(metric), records) for (metric, _), records in grouped.items()]
    return tuple(sorted(found, key=lambda c: (*_badness(c), order.get(c.metric, len(order)), c.namespace)))


def bad(curve: Curve) -> bool:
    """Whether its last measurement is not good."""
    return bool(curve.points) and curve.points[-1].phase in BAD_FIRST


def _badness(curve: Curve) -> tuple[int, float]:
    """By what the last measurement says, and by how far beyond its rule it is; the worst is the least."""
    phase = curve.points[-1].phase
    return (BAD_FIRST.index(phase), -excess(curve)) if phase in BAD_FIRST else (len(BAD_FIRST), 0.0)


def _curve(spec: MetricSpec | None, records: list[MeasurementRecord]) -> Curve:
    records = sorted(records, key=lambda r: r.time)
    points = tuple(Point(r.time, r.phase, r.value, r.baseline, r.control, r.message) for r in records)
    query = next((r.query for r in reversed(records) if r.query), "")
    last = records[-1]
    if spec is None:
        return Curve(last.metric, "value", last.namespace, points, query=query)
    return Curve(
        last.metric,
        spec.kind,
        last.namespace,
        points,
        spec.minimum,
        spec.maximum,
        query,
        spec.min_ratio,
        spec.max_increase,
        decides=not spec.dry_run,
        expects=spec.test == "sequential",
    )


def attempts(spec: WaveAnalysisSpec, status: WaveAnalysisStatus) -> tuple[Attempt, ...]:
    """The probe matrix, in the order in which the probes were chosen."""
    long_lived = {r.probe: r.observed for r in status.probes if r.when == "longLived"}
    return tuple(_attempt(a, long_lived) for a in asked(spec.probes, status.probes))


def _attempt(answer: Asked, long_lived: dict[str, Answer]) -> Attempt:
    probe = answer.probe
    return Attempt(
        probe.name,
        probe.role,
        probe.source,
        probe.destination,
        probe.port,
        probe.protocol,
        probe.check,
        _answer(answer.before),
        _answer(answer.after),
        probe.expect,
        _good(answer, long_lived.get(probe.name)),
        long_lived.get(probe.name),
        answer.message,
    )


def _answer(text: str) -> Answer:
    known: dict[str, Answer] = {"reach": "reach", "blocked": "blocked"}
    return known.get(text, "unknown")


def _good(answer: Asked, long_lived: Answer | None) -> bool | None:
    """None where the answer is missing, or was no other before the change, so that it says nothing of it."""
    if answer.after == "unknown":
        return None
    if answer.after == answer.probe.expect:
        broke = long_lived == "blocked" and answer.probe.expect == "reach"
        return not broke
    return None if answer.before in ("unknown", answer.after) else False


def links(spec: WaveAnalysisSpec, status: WaveAnalysisStatus) -> tuple[Link, ...]:
    """The connections that the wave opens, cuts or alters."""
    pairs = zip(spec.edges, agreement(spec, status), strict=True)
    return tuple(_link(row, edge) for edge, row in pairs)


def planned_links(edges: Iterable[WaveEdge]) -> tuple[Link, ...]:
    """The connections that the plan says change, in its order."""
    return tuple(
        Link(e.source, e.destination, e.before, e.after, _changed(e), _because(e.because)) for e in edges
    )


def _because(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(rule.replace(LIVE, "") for rule in rules)


def _link(row: Row, edge: WaveEdge) -> Link:
    return Link(
        row.source,
        row.destination,
        row.before,
        row.after,
        _changed(edge),
        tuple(edge.because),
        row.probed,
        row.seen,
        row.alarm,
        row.broken,
    )


def _changed(edge: WaveEdge) -> LinkChange:
    """The word that was frozen; of what an older version froze, what the ports say."""
    if edge.change:
        return edge.change
    if edge.before == edge.after:
        return "same"
    if edge.before == "none":
        return "opened"
    return "cut" if edge.after == "none" else "widened and cut"  # no more is known of it
