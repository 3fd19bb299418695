"""Changes as people read them: the addresses outside as "internet" or their blocks, one row a pair of ends, the worst first."""

import ipaddress
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeVar

from orchestrator.policy.network.connection_diff import Change, Moved
from orchestrator.policy.network.connections import Place
from orchestrator.policy.network.ranges import Range
from orchestrator.policy.objects.pod import End, Pod

T = TypeVar("T", bound=Hashable)

INTERNET = "internet"
EXTERNAL = "external"  # private addresses that are no pod's, too
OUTSIDE = (EXTERNAL, INTERNET)
EXAMPLE = "192.0.2.1"
# Addresses that are nobody's on the internet (RFC 1918, 1122, 3927, 6598, 4193, 4291).
PRIVATE = tuple(
    ipaddress.ip_network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "240.0.0.0/4", "::/127", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
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
    blocks = (str(n) for s in spans for n in ipaddress.summarize_address_range(s.first, s.last))
    named = list(islice(blocks, MOST_BLOCKS))
    more = sum(1 for _ in blocks)
    return ", ".join(named) + (f" and {more} more" if more else "")


class Sample(str):
    """An address that stands for its range, which is what people read."""

    span: Range


def sample(span: Range) -> End:
    """One address of a range, a public one where there is any; of a range of one that address itself."""
    address = _public_in(span) or str(span.first)
    if span.first == span.last:
        return address
    found = Sample(address)
    found.span = span
    return found


def meant(word: str, spans: Iterable[Range]) -> list[Range]:
    """The ranges that `external` or `internet` means; none for any other word."""
    return [s for s in spans if word == EXTERNAL or (word == INTERNET and _public_in(s))]


def said_once(asked: Iterable[tuple[End, End, T]]) -> Iterator[tuple[str, str, T]]:
    """What is said of two ends, by their names: once for all samples of which the same is said."""
    groups: dict[tuple[str, str, T], list[tuple[End, End]]] = {}
    for src, dst, what in asked:
        groups.setdefault((_end(src), _end(dst), what), []).append((src, dst))
    for (one, other, what), ends in groups.items():
        yield one or _samples(s for s, _ in ends), other or _samples(d for _, d in ends), what


def _end(end: End) -> str:
    if isinstance(end, Pod):
        return f"{end.namespace}/{end.name}"
    return "" if isinstance(end, Sample) else end


def _samples(ends: Iterable[End]) -> str:
    return named([e.span for e in ends if isinstance(e, Sample)])


def _public_in(span: Range) -> str:
    """The documentation's own address where it is in the range, else the first public one, else none."""
    make, last = type(span.first), int(span.last)
    if span.first.version == 4 and int(span.first) <= int(ipaddress.IPv4Address(EXAMPLE)) <= last:
        return EXAMPLE
    at = int(span.first)
    while at <= last:
        block = next((n for n in PRIVATE if n.version == span.first.version and make(at) in n), None)
        if block is None:
            return str(make(at))
        at = int(block.broadcast_address) + 1
    return ""
