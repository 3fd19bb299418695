"""The connections that the cluster's policies allow now, as the viewer may see them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import BoundedSemaphore

from orchestrator.adapters.kube.cni import detected, settled
from orchestrator.adapters.kube.workloads import documents
from orchestrator.context import Context
from orchestrator.errors import Forbidden, Refused
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.network.beyond import between
from orchestrator.policy.network.connections import Connection, Place
from orchestrator.policy.network.outside import named
from orchestrator.policy.network.ranges import Range, ranges
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.policy.workloads.fleet import Fleet, Workload, fleet, not_shown
from orchestrator.record.view import LinkWord
from orchestrator.wording import agreeing, many

MOST_PAIRS = 150_000  # of workloads, which the evaluator is asked about for one page
MOST_RANGES = 100  # of addresses outside, for each workload
EACH_IN_TURN = BoundedSemaphore(1)  # a map takes the pods of the whole cluster into memory
PATIENCE = 5.0  # seconds to wait for one's turn: who waits keeps a thread from all other pages


@dataclass(frozen=True)
class Wire:
    """A connection by the names of its ends; before and after are empty for one that no change is known of."""

    source: str
    destination: str
    ports: str
    word: LinkWord = "same"
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Allowed:
    """`asked` are the namespaces that were meant, of all `spaces`; `wires` the connections with one end there.

    A wire is there because a policy decides on it. `anybody` are workloads of theirs that no policy guards, `anywhere` those
    that no policy keeps from connecting. `why_not` says why there is no wire, `beside` what is missing.
    """

    spaces: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    wires: tuple[Wire, ...] = ()
    workloads: tuple[str, ...] = ()
    anybody: frozenset[str] = frozenset()
    anywhere: frozenset[str] = frozenset()
    why_not: str = ""
    beside: tuple[str, ...] = ()


def allowed(ctx: Context, pattern: str) -> Allowed:
    """Of the namespaces that a pattern means. Raises Refused where others are drawing."""
    if not EACH_IN_TURN.acquire(timeout=PATIENCE):
        raise Refused("others are drawing maps; try again in a moment")
    try:
        cni = detected(ctx.cluster)
        return _of(fleet(documents(ctx.cluster), keep_invalid=True).under(cni), settled(cni), pattern)
    except Forbidden as error:
        if error.status == 401:
            raise
        return Allowed(
            why_not=f"a map needs the right to list namespaces, pods and policies everywhere: {error}"
        )
    finally:
        EACH_IN_TURN.release()


def _of(standing: Fleet, reading: dict[str, bool], pattern: str) -> Allowed:
    (found,) = known_alone(standing)
    spaces = tuple(sorted(found.namespaces))
    asked = tuple(n for n in spaces if n == pattern or ("*" in pattern and fnmatchcase(n, pattern)))
    mine = [workload for name in asked for workload in found.within_workloads(name)]
    unread = len(standing.malformed) + len(standing.invalid)
    left_out = (
        f"{many(unread, 'object')} of the cluster cannot be read and {agreeing(unread, 'is', 'are')} left out"
    )
    beside = [
        *([left_out] if unread else []),
        *(f"not analysed: {text}" for text in (*map(not_shown, standing.unlisted), *standing.unheeded)),
    ]
    if len(mine) * len(found.workloads) > MOST_PAIRS:
        text = (
            f"{many(len(mine), 'workload')} of {many(len(asked), 'namespace')} are too many to draw at once"
        )
        return Allowed(spaces, asked, why_not=text, beside=tuple(beside))
    spans = ranges(found)
    if len(spans) > MOST_RANGES:
        beside.append(f"{len(spans)} ranges of addresses outside the cluster are too many to draw")
        spans = []
    net = found.network(reading)
    shut = {
        side: {w.name for w in found.workloads if net.isolated(w.pod, side)} for side in (INGRESS, EGRESS)
    }

    def decided(src: Place, dst: Place) -> bool:
        return bool(found.further) or src.name in shut[EGRESS] or dst.name in shut[INGRESS]

    rows = _connections(net, ((a, b) for a, b in _pairs(found, mine, spans) if decided(a, b)))
    open_ones = [] if found.further else [w.name for w in mine]
    return Allowed(
        spaces,
        asked,
        tuple(_wires(rows)),
        tuple(dict.fromkeys(w.name for w in mine)),
        frozenset(open_ones) - shut[INGRESS],
        frozenset(open_ones) - shut[EGRESS],
        beside=tuple(beside),
    )


def _pairs(found: Fleet, mine: Sequence[Workload], spans: Sequence[Range]) -> Iterator[tuple[Place, Place]]:
    """Each way with one end at least among some workloads, once."""
    own = {workload.name for workload in mine}
    for one in mine:
        others: list[Place] = [w for w in found.workloads if w.name != one.name or w.pod.many]
        for other in [*others, *spans]:
            yield one, other
            if other.name not in own:
                yield other, one


def _connections(net: Network, pairs: Iterable[tuple[Place, Place]]) -> Iterable[Connection]:
    """Those that are allowed; pods of one workload joined."""
    found: dict[tuple[str, str], Connection] = {}
    for src, dst in pairs:
        one, other = (p.pod if isinstance(p, Workload) else str(p.first) for p in (src, dst))
        if mask := between(net, one, other):
            key = (src.name, dst.name)
            found[key] = Connection(src, dst, mask | found[key].ports if key in found else mask)
    return found.values()


def _wires(found: Iterable[Connection]) -> list[Wire]:
    """Addresses outside that are treated alike are one end."""
    outside: dict[tuple[str, bool, int], list[Range]] = defaultdict(list)
    wires: list[Wire] = []
    for connection in found:
        src, dst, ports = connection.src, connection.dst, connection.ports
        if isinstance(src, Workload) and isinstance(dst, Workload):
            wires.append(Wire(src.name, dst.name, port_sets.text(ports)))
        elif isinstance(src, Range):
            outside[dst.name, True, ports].append(src)
        elif isinstance(dst, Range):
            outside[src.name, False, ports].append(dst)
    for (name, enters, ports), spans in outside.items():
        far, text = named(spans), port_sets.text(ports)
        wires.append(Wire(far, name, text) if enters else Wire(name, far, text))
    return sorted(wires, key=lambda wire: (wire.source, wire.destination))
