"""Changes as people read them: the addresses outside as "internet" or their blocks, one row a pair of ends, the worst first."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from orchestrator.policy.connection_diff import Change, Moved
from orchestrator.policy.connections import Place, Range

INTERNET = "internet"
MOST_BLOCKS = 3
# At least half of the addresses that are handed out: all of IPv4, and 2000::/3 of IPv6.
_HALF = {4: 1 << 31, 6: 1 << 124}


@dataclass(frozen=True)
class Row(Moved):
    """Like `Change`, with the names of the ends; `enters` says that it comes from outside the cluster."""

    kind: Literal["gained", "lost", "changed"]
    src: str
    dst: str
    before: int
    after: int
    because: tuple[str, ...]
    note: str
    enters: bool
    used: int = 0


def gathered(changes: Iterable[Change]) -> list[Row]:
    """One row for all addresses outside that a change treats alike; what opens to the internet first."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for c in changes:
        ends = tuple(None if isinstance(p, Range) else p.name for p in (c.src, c.dst))
        alone = () if None in ends else (c.src.name,)
        groups.setdefault((*ends, c.before, c.after, c.note, c.used, alone), []).append(c)
    return sorted((_row(group) for group in groups.values()), key=_weight)


def _row(group: Sequence[Change]) -> Row:
    first = group[0]
    because = tuple(dict.fromkeys(reason for c in group for reason in c.because))
    src, dst = named([c.src for c in group]), named([c.dst for c in group])
    enters = isinstance(first.src, Range)
    return Row(first.kind, src, dst, first.before, first.after, because, first.note, enters, first.used)


def _weight(row: Row) -> tuple[bool, int, str, str]:
    """What has a note comes with its workload; else in the order in which it may hurt."""
    if row.gained:
        kind = 0 if row.enters else 1 if row.lost else 2
    else:
        kind = 3 if "cut" in row.words else 4
    return (bool(row.note), kind, row.src, row.dst)


def named(places: Sequence[Place]) -> str:
    """The workload, or all these ranges: "internet" where they are most of it, else their blocks."""
    spans = [p for p in places if isinstance(p, Range)]
    if not spans:
        return places[0].name
    for version, half in _HALF.items():
        mine = [s for s in spans if s.first.version == version]
        if sum(int(s.last) - int(s.first) + 1 for s in mine) >= half:
            return INTERNET
    blocks = (str(n) for s in spans for n in _networks(s))
    named = list(islice(blocks, MOST_BLOCKS))
    more = sum(1 for _ in blocks)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _networks(span: Range) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return ipaddress.summarize_address_range(span.first, span.last)
