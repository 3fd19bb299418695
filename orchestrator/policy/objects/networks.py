"""Many networks at once, asked for single addresses: as few ranges as say the same, found by bisection."""

import ipaddress
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

Interval = tuple[int, int]  # the first and the last address
_address = lru_cache(32_768)(ipaddress.ip_address)


class Networks:
    """Networks, and bare addresses, of both families, which have to be valid."""

    def __init__(self, texts: Iterable[str] = (), blocks: Iterable[Mapping[str, Any]] = ()) -> None:
        """`blocks` are such as an ipBlock: a `cidr`, and what of it they leave out, `except`."""
        found: dict[int, list[Interval]] = {4: [], 6: []}
        for version, span in map(_span, texts):
            found[version].append(span)
        for block in blocks:
            version, whole = _span(block["cidr"])
            found[version] += _without(whole, [span for _, span in map(_span, block.get("except") or ())])
        self._ranges = {version: _ranges(spans) for version, spans in found.items()}
        self._begins = {version: frozenset(first for first, _ in spans) for version, spans in found.items()}

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; an empty one is not known, and in none."""
        if not address:
            return False
        asked = _address(address)
        firsts, lasts = self._ranges[asked.version]
        at = bisect_right(firsts, int(asked)) - 1
        return at >= 0 and int(asked) <= lasts[at]

    def ranges(self, version: int) -> Iterator[Interval]:
        """The disjoint ranges of an IP version, in order."""
        return zip(*self._ranges[version], strict=True)

    def begins(self, version: int) -> Collection[int]:
        """The first addresses of what was given, though another one may end just before it."""
        return self._begins[version]


def canonical(address: str) -> str:
    """An address as it is compared: of IPv6 there are several ways to write one, and API objects may have any of them."""
    return str(_address(address))


@lru_cache(32_768)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A network, or a bare address as one; the bits of a host do not count. Raises ValueError."""
    return ipaddress.ip_network(text, strict=False)


@lru_cache(32_768)
def _span(text: str) -> tuple[int, Interval]:
    """The IP version of a network, and its ends."""
    found = network(text)
    return found.version, (int(found.network_address), int(found.broadcast_address))


def _without(whole: Interval, parts: Iterable[Interval]) -> Iterator[Interval]:
    """What is left of a range without parts of it."""
    first, last = whole
    for one, other in sorted(parts):
        if one > last:
            break
        if first < one:
            yield first, one - 1
        first = max(first, other + 1)
    if first <= last:
        yield first, last


def _ranges(spans: Iterable[Interval]) -> tuple[Sequence[int], Sequence[int]]:
    """The first and the last addresses of disjoint ranges, in order."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(spans):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts
