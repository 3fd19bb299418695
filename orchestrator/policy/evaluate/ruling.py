"""What one rule, or the lack of one, says of a connection's ports."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from orchestrator.policy.objects import port_sets as ports

# A rule, and the field below `spec` that decides, where the rule has several; else empty.
Cited = tuple[str, str]


class Ruling(NamedTuple):
    """`action` is Accept, Deny or Pass, of a set of ports (see port_sets.py); `cited` says who decides on some of them."""

    action: str
    ports: int
    cited: Callable[[int], Sequence[Cited]]


def stating(action: str, ports: int, text: str) -> Ruling:
    """A ruling that says the same of every port."""
    return Ruling(action, ports, lambda _: [(text, "")])


def decided(tiers: Iterable[Iterable[Ruling]], asked: int) -> tuple[int, list[Ruling]]:
    """Those of a set of ports that tiers let pass, one after another, and what decided on any of them."""
    allowed, found = 0, []
    for tier in tiers:
        passed = 0
        for ruling in tier:
            hit = asked if ruling.ports is ports.ANY else asked & ruling.ports
            if not hit:
                continue
            found.append(ruling)
            asked = 0 if hit is asked else asked ^ hit
            if ruling.action == "Accept":
                allowed |= hit
            elif ruling.action == "Pass":
                passed |= hit
        asked = asked | passed if passed else asked
        if not asked:
            break
    return allowed, found
