"""Which workloads may connect to which, on which ports: the evaluator's answers as whole sets of ports."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.evaluate.pair_index import candidates
from orchestrator.policy.network.beyond import Beyond, between
from orchestrator.policy.network.ranges import Range, ranges
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.workloads.fleet import Fleet, Workload

Place = Workload | Range
Keep = Callable[[Place], bool]
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Connection:
    """`ports` is a set as in ports.py, never empty."""

    src: Place
    dst: Place
    ports: int


def anything(_: Place) -> bool:
    """What keeps every end."""
    return True


def reach(
    fleet: Fleet,
    settled: Mapping[str, bool] | None = None,
    sources: Keep = anything,
    destinations: Keep = anything,
    replicas: bool = False,
) -> list[Connection]:
    """Every allowed connection between workloads, and with the outside; with `replicas` also among those of one."""
    found = table(fleet, settled, sources, destinations, replicas=replicas)
    rows = [(c.src, c.dst, c.ports) for c in found.values()]
    rows += merged(list(_outside(fleet, settled, sources, destinations)))
    return sorted((Connection(*row) for row in rows), key=lambda c: (c.src.name, c.dst.name))


def _outside(
    fleet: Fleet, settled: Mapping[str, bool] | None, sources: Keep, destinations: Keep
) -> Iterator[tuple[Place, Place, int]]:
    spans = ranges(fleet, settled=settled)
    beyond = Beyond(fleet, fleet.network(settled), spans)
    for side, own, others in ((INGRESS, destinations, sources), (EGRESS, sources, destinations)):
        kept = [span if others(span) else None for span in spans]
        for workload, runs in beyond.answers(side, filter(own, fleet.workloads)).values():
            for at, end, mask in beyond.stretches(runs):
                for span in [beyond.span(at, end)] if others is anything else kept[at:end]:
                    if mask and span is not None:
                        ends: tuple[Place, Place] = (workload, span)
                        yield *side.ends(*ends), mask


def table(
    fleet: Fleet,
    settled: Mapping[str, bool] | None,
    sources: Keep = anything,
    destinations: Keep = anything,
    touched: frozenset[str] | None = None,
    replicas: bool = False,
) -> dict[tuple[str, str], Connection]:
    """The connections among workloads by the names of their ends; pods of one workload joined.

    `touched` names the namespaces of which one end must be; None is all. With `replicas` a workload of several pods has a
    connection to itself; other tools leave these out.
    """
    net = fleet.network(settled)
    found: dict[tuple[str, str], Connection] = {}
    for one, other in pairs([net], fleet.workloads):
        src, dst = fleet.workloads[one], fleet.workloads[other]
        near = touched is None or src.pod.namespace in touched or dst.pod.namespace in touched
        apart = src.name != dst.name or (replicas and src.pod.many)
        if near and apart and sources(src) and destinations(dst) and (mask := between(net, src.pod, dst.pod)):
            key = (src.name, dst.name)
            found[key] = Connection(src, dst, mask | found[key].ports if key in found else mask)
    return found


def pairs(states: Sequence[Network], workloads: Sequence[Workload]) -> Iterator[tuple[int, int]]:
    """The numbers of the pairs worth asking the evaluator about, in any of some states of the policies."""
    pods = [w.pod for w in workloads]
    return candidates([net.most(pods) for net in states], len(pods))


def merged(rows: Sequence[tuple[Place, Place, T]]) -> list[tuple[Place, Place, T]]:
    """Neighbouring ranges joined where all else is the same."""
    found: list[tuple[Place, Place, T]] = []
    open_rows: dict[tuple[object, ...], int] = {}
    for src, dst, what in rows:
        for number, (end, other) in enumerate(((src, dst), (dst, src))):
            if isinstance(end, Range):
                # Sets of ports are large to hash, and the rows of one end do not overlap.
                at = open_rows.pop((number, int(end.first), end.first.version, other.name), None)
                if at is None or found[at][2] != what:
                    at = len(found)
                    found.append((src, dst, what))
                else:
                    grown = Range((found[at][number]).first, end.last)  # type: ignore[union-attr]
                    found[at] = (grown, dst, what) if number == 0 else (src, grown, what)
                open_rows[number, int(end.last) + 1, end.last.version, other.name] = at
                break
        else:
            found.append((src, dst, what))
    return found
