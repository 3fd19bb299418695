"""Many networks at once, asked for single addresses: as few ranges as say the same, found by bisection."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache

_address = lru_cache(32_768)(ipaddress.ip_address)


class Networks:
    """Networks, and bare addresses, of both families, which have to be valid."""

    def __init__(self, texts: Iterable[str]) -> None:
        given = [ipaddress.ip_network(text, strict=False) for text in texts]
        self._ranges = {v: _ranges(n for n in given if n.version == v) for v in (4, 6)}

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; an empty one is not known, and in none."""
        if not address:
            return False
        asked = _address(address)
        firsts, lasts = self._ranges[asked.version]
        at = bisect_right(firsts, int(asked)) - 1
        return at >= 0 and int(asked) <= lasts[at]


def canonical(address: str) -> str:
    """An address as it is compared: of IPv6 there are several ways to write one, and API objects may have any of them."""
    return str(_address(address))


def _ranges(
    networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> tuple[Sequence[int], Sequence[int]]:
    """The first and the last addresses of disjoint ranges, in order."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted((int(n.network_address), int(n.broadcast_address)) for n in networks):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts
