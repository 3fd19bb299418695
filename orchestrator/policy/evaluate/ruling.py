"""What one rule, or the lack of one, says of a connection's ports."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

# A rule, and the field below `spec` that decides, where the rule has several; else empty.
Cited = tuple[str, str]


class Ruling(NamedTuple):
    """`action` is Accept, Deny or Pass, of a set of ports (see port_sets.py); `cited` says who decides on some of them."""

    action: str
    ports: int
    cited: Callable[[int], Sequence[Cited]]
