"""Numbers over time in one line of characters."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
MISSING = "·"


def sparkline(values: Sequence[float | None]) -> str:
    """One character a value, from the least to the greatest of them; a dot where there is none."""
    known = [v for v in values if v is not None]
    if not known:
        return MISSING * len(values)
    least, width = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        MISSING if v is None else BARS[round((v - least) / width * (len(BARS) - 1))] for v in values
    )
