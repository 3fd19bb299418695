"""One metric of one namespace as JSON, for the plot that answers to a pointer."""

import json
import math
from collections.abc import Sequence

from orchestrator.record.view import Curve, Mark


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def curve_json(curve: Curve, marks: Sequence[Mark]) -> str:
    """Columns of the same length, times in seconds since 1970; null where there is no value."""
    points = curve.points
    return json.dumps(
        {
            "time": [round(p.time.timestamp(), 3) for p in points],
            "canary": [_number(p.value) for p in points],
            "past": [_number(p.baseline) for p in points],
            "control": [_number(p.control) for p in points],
            "minimum": _number(curve.minimum),
            "maximum": _number(curve.maximum),
            "marks": [{"time": round(k.time.timestamp(), 3), "kind": k.kind} for k in marks],
        },
        separators=(",", ":"),
    )
