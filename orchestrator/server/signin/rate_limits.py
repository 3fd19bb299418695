"""How often one address, and everybody together, may try to sign in."""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

MOST_ADDRESSES = 10_000
EVERYBODY = 20  # times what one address may


class Attempts:
    """A bucket an address that fills by `a_minute`; the one unused for longest is forgotten beyond a bound."""

    def __init__(self, a_minute: int, most: int = MOST_ADDRESSES) -> None:
        self._rate, self._most = a_minute, most
        self._spent: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._all: tuple[float, datetime] | None = None
        self._lock = threading.Lock()

    def allowed(self, address: str, now: datetime) -> bool:
        """Count one attempt; False where it is one too many."""
        key = _network(address)
        with self._lock:
            mine = _drained(self._spent.pop(key, None), self._rate, now)
            everybody = _drained(self._all, self._rate * EVERYBODY, now)
            fine = mine + 1 <= self._rate and everybody + 1 <= self._rate * EVERYBODY
            self._spent[key] = (mine + fine, now)
            self._all = (everybody + fine, now)
            while len(self._spent) > self._most:
                self._spent.popitem(last=False)
            return fine

    def __len__(self) -> int:
        return len(self._spent)


def caller(nearest: str, forwarded: Sequence[str], trusted: Sequence[str]) -> str:
    """Who asks, beyond the proxies that are trusted: what those add to X-Forwarded-For is believed and no more."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    found = nearest
    while hops and _within(found, trusted):
        found = hops.pop()
    return found


def _within(address: str, networks: Sequence[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in networks)


def _drained(known: tuple[float, datetime] | None, rate: float, now: datetime) -> float:
    if known is None:
        return 0.0
    spent, then = known
    return max(0.0, spent - max(0.0, (now - then).total_seconds()) * rate / 60)


def _network(address: str) -> str:
    """One customer's addresses are one: a /64 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
