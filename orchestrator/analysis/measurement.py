"""One value of one metric in one namespace, and what follows from it.

No data is never a success. A series that was there before the change and is gone after it is a
regression, unless the controls lost it as well.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.rollout.resources.model import MeasurementPhase, MetricSpec
from orchestrator.wording import many

KINDS = {
    "scrape": "the metrics scrape",
    "volume": "requests",
    "ratio": "the error ratio",
    "value": "the value",
}


@dataclass(frozen=True)
class Reading:
    """A metric at one time: value and number of samples by namespace; `broken` says what is unusable.

    `unclear` says where the answer was no number (NaN), `idle` are those in which a ratio had neither requests nor errors.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    samples: Mapping[str, float] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    unclear: Mapping[str, str] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What one measurement says; `control` is the controls' mean value now.

    `quiet`: there was nothing to measure, which is no harm where the volume says that nothing was lost.
    """

    phase: MeasurementPhase
    message: str
    value: float | None = None
    baseline: float | None = None
    control: float | None = None
    quiet: bool = False


Say = Callable[[MeasurementPhase, str], Outcome]


def usable(reading: Reading, namespace: str) -> float | None:
    """The value, or None where there is none or it is not a number."""
    value = reading.values.get(namespace)
    return None if value is None or not math.isfinite(value) else value


def mean(reading: Reading, namespaces: tuple[str, ...]) -> float | None:
    """The mean over the namespaces that have a value."""
    found = [v for n in namespaces if (v := usable(reading, n)) is not None]
    return sum(found) / len(found) if found else None


def measure(
    spec: MetricSpec, namespace: str, before: Reading, now: Reading, controls: tuple[str, ...]
) -> Outcome:
    """Judge a namespace by thresholds, by its baseline and by the controls over the same window."""
    value, past = usable(now, namespace), usable(before, namespace)
    steady = tuple(c for c in controls if usable(before, c) is not None)
    control, control_past = mean(now, steady), mean(before, steady)

    def outcome(phase: MeasurementPhase, message: str) -> Outcome:
        return Outcome(phase, f"{spec.name} in {namespace}: {message}", value, past, control)

    if namespace in now.broken:
        return outcome("Error", now.broken[namespace])
    if value is None and namespace in now.unclear:
        return replace(outcome("Inconclusive", f"no data: {now.unclear[namespace]}"), quiet=True)
    unknown = before.broken.get(namespace, "") if compares(spec) else ""
    if value is None:
        if unknown:
            return outcome("Error", f"before the change: {unknown}")
        found = _absent(spec, outcome, past, steady, control)
        return replace(found, quiet=namespace in now.idle and found.phase == "Failed")
    if now.samples.get(namespace, math.inf) < spec.min_samples:
        return outcome(
            "Inconclusive",
            f"{many(now.samples[namespace], 'sample')}, at least {spec.min_samples:g} are asked for",
        )
    if spec.maximum is not None and value > spec.maximum:
        return outcome("Failed", f"expected at most {spec.maximum:g}, seen {value:.4g}")
    if spec.minimum is not None and value < spec.minimum:
        return outcome("Failed", f"expected at least {spec.minimum:g}, seen {value:.4g}")
    if unknown:
        return outcome("Error", f"before the change: {unknown}")
    return _compare(spec, outcome, (value, past), (control, control_past))


def compares(spec: MetricSpec) -> bool:
    """Whether a metric's limits cannot do without what was there before the change."""
    return spec.max_increase is not None or spec.min_ratio is not None or spec.kind == "scrape"


def _absent(
    spec: MetricSpec, outcome: Say, past: float | None, steady: tuple[str, ...], control: float | None
) -> Outcome:
    what = KINDS[spec.kind]
    if past is None:
        return outcome("Inconclusive", f"no data: {what} was not there before the change either")
    if steady and control is None:
        return outcome("Inconclusive", f"{what} vanished here and in the whole control group alike")
    return outcome("Failed", f"{what} was {past:.4g} before the change and is gone after it")


def _compare(
    spec: MetricSpec,
    outcome: Say,
    mine: tuple[float, float | None],
    control: tuple[float | None, float | None],
) -> Outcome:
    value, past = mine
    now, then = control
    paired = now is not None and then is not None
    alone = "" if paired else " (no control group: baseline and thresholds decide)"
    drift, trend = 0.0, 1.0
    if now is not None and then is not None:
        drift, trend = now - then, now / then if then else 1.0
    if spec.max_increase is not None and past is not None:
        rise = value - past - drift
        if rise > spec.max_increase:
            text = f"rose by {rise:.4g} against the control group, at most {spec.max_increase:g} is allowed"
            return outcome("Failed", f"{text}: {past:.4g} before, {value:.4g} now{alone}")
    ratio = spec.min_ratio if spec.min_ratio is not None else (1.0 if spec.kind == "scrape" else None)
    if ratio is not None and past:
        if trend == 0:
            return outcome("Inconclusive", "fell to nothing in the whole control group alike")
        share = value / past / trend
        if share < ratio - 1e-9 and spec.kind == "scrape":
            return outcome(
                "Failed", f"of its targets {past:g} answered before the change, {value:g} after it"
            )
        if share < ratio - 1e-9:
            text = f"expected at least {ratio * 100:g} % of {past:.4g}, seen {value:.4g}"
            return outcome("Failed", f"{text}{alone}")
    return outcome("Successful", f"{value:.4g}{alone}")
