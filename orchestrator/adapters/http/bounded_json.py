"""JSON of others, read within limits: UTF-8, so many values, so many levels."""

import json
import re
from itertools import accumulate
from typing import Any

MOST_VALUES, MOST_LEVELS = 3_000_000, 100
_STRING = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL
)  # or the rest, where one has no end
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # one up, one down, as signed bytes
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


def parsed(body: bytes) -> Any:
    """The value. Raises ValueError for what is not JSON (RFC 8259), or takes far more memory than its bytes do.

    What is too deep is not parsed at all: whatever works on it later calls itself once for each level.
    """
    plain = _STRING.sub(b"", body)
    steps = plain.translate(_STEPS, _OTHERS)
    levels = max(accumulate(memoryview(steps).cast("b")), default=0)
    if levels > MOST_LEVELS or len(steps) // 2 + plain.count(b",") > MOST_VALUES:
        raise ValueError(f"not JSON of at most {MOST_LEVELS} levels and {MOST_VALUES:,} values")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
