"""What a metric has to keep to, as a line over time, and how far the latest value is from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.record.view import Curve

LARGEST = 1e300  # beyond it, differences overflow


def usable(value: float | None) -> float | None:
    """None for what cannot be drawn."""
    return value if value is not None and math.isfinite(value) and abs(value) < LARGEST else None


@dataclass(frozen=True)
class Bound:
    """`least` says that less than the line is forbidden, else more; the line is None where the baseline is missing.

    `amount` is the value itself, a share of the baseline, or what may be added to it. A bound against the baseline moves
    with the control group where there is one; the line does not: what the group was before the change is not kept.
    """

    of: Literal["value", "share", "rise"]
    least: bool
    amount: float
    line: Sequence[tuple[datetime, float | None]]


def bounds(curve: Curve) -> list[Bound]:
    """Those of a curve, limits first; nothing for what is not a number."""
    times = [p.time for p in curve.points]
    past = [usable(p.baseline) for p in curve.points]
    found: list[Bound] = []
    for least, limit in ((True, usable(curve.minimum)), (False, usable(curve.maximum))):
        if limit is not None:
            found.append(Bound("value", least, limit, [(time, limit) for time in times]))
    if all(v is None for v in past):
        return found
    share = curve.min_ratio if curve.min_ratio is not None else 1.0 if curve.kind == "scrape" else None
    if share is not None:
        line = [None if v is None else v * share for v in past]
        found.append(Bound("share", True, share, [*zip(times, line, strict=True)]))
    rise = usable(curve.max_increase)
    if rise is not None:
        line = [None if v is None else v + rise for v in past]
        found.append(Bound("rise", False, rise, [*zip(times, line, strict=True)]))
    return found


def excess(curve: Curve) -> float:
    """How far the last value is beyond the bound that it breaks the most, as a share of it; 0 where it breaks none."""
    value = usable(curve.points[-1].value) if curve.points else None
    if value is None:
        return 0.0
    last = [(bound.least, bound.line[-1][1]) for bound in bounds(curve)]
    beyond = [((b - value) if least else (value - b)) / (abs(b) or 1.0) for least, b in last if b is not None]
    return max([0.0, *beyond])
