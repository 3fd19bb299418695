"""Which connections a wave tries with real packets: what the change moves, controls, observers, a sample.

Never all pairs. Only TCP ports that a workload declares, or that a rule names alone, are tried: on any other
port nobody listens, and every answer would be the same.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.network.connection_diff import Change
from orchestrator.policy.network.connections import Connection
from orchestrator.policy.network.dns import resolvers
from orchestrator.policy.network.used_ports import METRIC_PORTS, scraper
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import INGRESS
from orchestrator.policy.objects.pod import one_pod
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.wording import agreeing, many

Role = Literal["edge", "mustPass", "mustNotPass", "sample", "observer"]
Answer = Literal["reach", "blocked"]
Table = Mapping[tuple[str, str], Connection]
MOST_PORTS = 3
MOST_CONTROLS = 2
MOST_LOOKED = 2000
MOST_NAMED = 5
KEPT_SHARE = 0.25  # of all attempts, for connections that stay open


@dataclass(frozen=True)
class Attempt:
    """A connection to try; `before` is what the analysis says of it now, `expect` what must be seen after."""

    role: Role
    src: Workload
    dst: Workload
    port: int
    protocol: str
    before: Answer
    expect: Answer
    check: Literal["connect", "dns"] = "connect"

    @property
    def name(self) -> str:
        """`role namespace/source to namespace/destination:port/protocol`."""
        return f"{self.role} {place(self.src)} to {place(self.dst)}:{self.port}/{self.protocol}"


@dataclass(frozen=True)
class Chosen:
    """What is tried, and what is not and why, for people."""

    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sides:
    """The network before and after a wave: fleets, and the tables of connections near what changes.

    `apart` is a table of connections of other namespaces; those of `changed` are left out of it. `settled` is what the
    CNI answers of what the API leaves open.
    """

    old: Fleet
    new: Fleet
    before: Table
    after: Table
    apart: Table
    changed: frozenset[str]
    settled: Mapping[str, bool] = field(default_factory=dict)

    def networks(self) -> tuple[Network, Network]:
        """The evaluators before and after, as the CNI reads policies."""
        return self.old.network(self.settled), self.new.network(self.settled)


def place(workload: Workload) -> str:
    """`namespace/name`, as a prober finds it."""
    return f"{workload.pod.namespace}/{workload.pod.name}"


def sample_size(share: float, miss: float) -> int:
    """How many of many connections to try, so that none of the broken `share` of them shows with chance `miss`."""
    return math.ceil(math.log(miss) / math.log(1 - share))


def choose(
    sides: Sides,
    moved: Sequence[Change],
    seed: str,
    most: int,
    share: float,
    miss: float,
    kept_share: float = KEPT_SHARE,
) -> Chosen:
    """At most `most` attempts, what matters most first; deterministic for a `seed`.

    `kept_share` of them are for connections that stay open, of every namespace that changes, however many are moved.
    """
    edges, notes = _edges(sides, moved)
    passing, blocked = _must_pass(sides, seed), _must_not_pass(sides, seed)
    if not passing:
        notes.append("no connection is open elsewhere: whether the network itself changed cannot be checked")
    if not blocked:
        notes.append(
            "no connection is denied before and after: whether anything is enforced cannot be checked"
        )
    seeing = _distinct(_observers(sides))[: most // 2]
    asked = {_ends(a) for a in seeing}  # what must stay even where the change cuts it
    edges = [a for a in edges if _ends(a) not in asked]
    population = _kept(sides, moved)
    staying = _in_turn(_shuffled(population, seed), sides.changed)
    room = max(0, most - len(passing) - len(blocked))
    reserved = min(len(staying), math.ceil(room * kept_share))
    others = _distinct([*passing, *blocked, *edges, *seeing])
    every = _distinct([*others[: max(0, most - reserved)], *staying[:reserved], *others])
    wanted = max(reserved, sample_size(share, miss))
    every = _distinct([*every, *staying[:wanted]])
    if len(every) > most:
        left = len(every) - most
        said = f"{many(left, 'more connection')} {agreeing(left, 'is', 'are')} not tried"
        notes.append(f"{said}: at most {most} are")
    if population:
        notes += _said(population, every[:most], sides.changed, share)
    return Chosen(tuple(every[:most]), tuple(notes))


def _said(
    population: Sequence[Attempt], tried: Sequence[Attempt], changed: frozenset[str], share: float
) -> list[str]:
    """How many of what stays open are tried, counted from what really is, and what may be missed by that."""
    ends = {_ends(a) for a in tried if a.before == a.expect == "reach"}
    some = [a for a in population if _ends(a) in ends]
    chance = miss_chance(len(some), len(population), share)
    notes = [
        f"{len(some)} of {many(len(population), 'unchanged connection')} {agreeing(len(some), 'is', 'are')} tried: if {share:.0%} of them broke, "
        f"the chance to see none is {chance:.1%}"
    ]
    missed = _spaces(population, changed) - _spaces(some, changed)
    if missed:
        named = ", ".join(sorted(missed)[:MOST_NAMED]) + (", …" if len(missed) > MOST_NAMED else "")
        notes.append(
            f"of {many(len(missed), 'namespace')} that {agreeing(len(missed), 'changes', 'change')} no unchanged connection is tried: {named}"
        )
    return notes


def _spaces(attempts: Iterable[Attempt], changed: frozenset[str]) -> set[str]:
    return {w.pod.namespace for a in attempts for w in (a.src, a.dst)} & changed


def _in_turn(attempts: Sequence[Attempt], changed: frozenset[str]) -> list[Attempt]:
    """One of each namespace that changes, then the next of each, so that none goes without."""
    queues: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        ends = (attempt.dst.pod.namespace, attempt.src.pod.namespace)
        mine = next((n for n in ends if n in changed), ends[0])
        queues.setdefault(mine, []).append(attempt)
    turns = [[(turn, name, a) for turn, a in enumerate(queue)] for name, queue in sorted(queues.items())]
    return [a for _, _, a in sorted((t for some in turns for t in some), key=lambda t: t[:2])]


def miss_chance(tried: int, of: int, share: float) -> float:
    """The chance that none of `tried` out of `of` is among the broken share of them (drawn without repeats)."""
    broken = math.ceil(of * share)
    if tried > of - broken:
        return 0.0
    return math.comb(of - broken, tried) / math.comb(of, tried)


def _distinct(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Each connection once, for the first reason; workloads of one name answer alike here."""
    found: dict[tuple[str, str], Attempt] = {}
    for attempt in attempts:
        found.setdefault(_ends(attempt), attempt)
    return list(found.values())


def _ends(attempt: Attempt) -> tuple[str, str]:
    return attempt.name.split(" ", 1)[1], attempt.check


def _edges(sides: Sides, moved: Sequence[Change]) -> tuple[list[Attempt], list[str]]:
    """What the change cuts first, then what it opens."""
    nets = sides.networks()
    found: list[Attempt] = []
    outside = untried = open_questions = 0
    for change in sorted(moved, key=lambda c: c.kind == "gained"):
        if change.note:
            continue
        if not isinstance(change.src, Workload) or not isinstance(change.dst, Workload):
            outside += 1
            continue
        some = list(_attempts("edge", change.src, change.dst, change.before, change.after, True))
        known = [a for a in some if len(found) >= MOST_LOOKED or _known(nets, a)]
        open_questions += len(some) - len(known)
        found += known
        untried += not some
    notes = []
    if outside:
        said = f"{many(outside, 'changed connection')} {agreeing(outside, 'has', 'have')}"
        notes.append(f"{said} an end outside the cluster: not tried")
    if untried:
        said = f"{many(untried, 'changed connection')} {agreeing(untried, 'touches', 'touch')}"
        notes.append(f"{said} no declared TCP port: not tried")
    if open_questions:
        said = f"{many(open_questions, 'changed connection')} {agreeing(open_questions, 'depends', 'depend')}"
        notes.append(f"{said} on how the CNI reads policies: not tried; strategy.cni names it")
    return found, notes


def _known(nets: tuple[Network, Network], attempt: Attempt) -> bool:
    """Whether every CNI that may be here gives the same answers."""
    asked = (attempt.src.pod, attempt.dst.pod, attempt.protocol, attempt.port)
    return all(net.decide(*asked).allowed is not None for net in nets)


def _attempts(
    role: Role, src: Workload, dst: Workload, before: int, after: int, differing: bool
) -> Iterator[Attempt]:
    """The ports of one pair that are worth a try: those that differ, or those that are open all along."""
    mask = before ^ after if differing else before & after
    if src.pod.host_network or dst.pod.host_network:
        return
    declared = [
        p.port for p in dst.pod.ports if p.protocol == "TCP" and port_sets.contains(mask, "TCP", p.port)
    ]
    named = [first for first, last in port_sets.runs(mask, "TCP") if first == last] if differing else []
    for port in list(dict.fromkeys([*declared, *named]))[:MOST_PORTS]:
        now, then = (_answer(port_sets.contains(side, "TCP", port)) for side in (before, after))
        yield Attempt(role, src, dst, port, "TCP", now, then)


def _answer(allowed: bool) -> Answer:
    return "reach" if allowed else "blocked"


def _kept(sides: Sides, moved: Sequence[Change]) -> list[Attempt]:
    """Connections near the change that are open before and after it.

    One port each; of pairs that differ every port that is kept, since a policy is written to keep them.
    """
    differing = {(c.src.name, c.dst.name) for c in moved}
    found: list[Attempt] = []
    for key, connection in sides.before.items():
        other = sides.after.get(key)
        src, dst = connection.src, connection.dst
        if other is None or not isinstance(src, Workload) or not isinstance(dst, Workload):
            continue
        some = list(_attempts("sample", src, dst, connection.ports, other.ports, False))
        found += some if key in differing else some[:1]
    return _distinct(found)


def _shuffled(attempts: Iterable[Attempt], seed: str) -> list[Attempt]:
    return sorted(attempts, key=lambda a: hashlib.sha256(f"{seed} {a.name}".encode()).digest())


def _must_pass(sides: Sides, seed: str) -> list[Attempt]:
    """One that is open, with neither end in a namespace that changes: so only the network itself can break it."""
    found: list[Attempt] = []
    for connection in sides.apart.values():
        src, dst = connection.src, connection.dst
        if not isinstance(src, Workload) or not isinstance(dst, Workload):
            continue
        if not {src.pod.namespace, dst.pod.namespace} & sides.changed:
            found += list(_attempts("mustPass", src, dst, connection.ports, connection.ports, False))[:1]
    return _shuffled(found, seed)[:1]


def _must_not_pass(sides: Sides, seed: str) -> list[Attempt]:
    """Denied before and after, on a port where somebody else is let in: so a listener is there."""
    nets = sides.networks()
    listening = [
        (connection.dst, port.port)
        for key, connection in sides.before.items()
        if isinstance(connection.dst, Workload)
        and isinstance(connection.src, Workload)
        and key in sides.after
        for port in connection.dst.pod.ports
        if port.protocol == "TCP" and port_sets.contains(connection.ports, "TCP", port.port)
    ]
    found: list[Attempt] = []
    sources = _near_first(sides)
    looked = 0
    for dst, port in dict.fromkeys(listening):
        if dst.pod.host_network or not nets[0].isolated(dst.pod, INGRESS):
            continue
        for src in sources:
            looked += 1
            if one_pod(src.pod, dst.pod) or src.pod.host_network or looked > MOST_LOOKED:
                continue
            if all(n.decide(src.pod, dst.pod, "TCP", port).allowed is False for n in nets):
                found.append(Attempt("mustNotPass", src, dst, port, "TCP", "blocked", "blocked"))
                break
    return _shuffled(found, seed)[:MOST_CONTROLS]


def _near_first(sides: Sides) -> list[Workload]:
    """Workloads to start from: those that change or are connected to them first, never the system's."""
    near = {e.pod.namespace for c in sides.before.values() for e in (c.src, c.dst) if isinstance(e, Workload)}
    mine = [w for w in sides.new.workloads if not w.pod.namespace.startswith("kube-")]
    return sorted(mine, key=lambda w: w.pod.namespace not in near)


def _observers(sides: Sides) -> list[Attempt]:
    """The ways on which the cluster is seen: name resolution, and Prometheus to ports that carry metrics."""
    known = {w.name: w for w in resolvers(sides.old)}
    found: list[Attempt] = []
    asked: set[str] = set()
    for (_, name), connection in sides.before.items():
        src, dst = connection.src, connection.dst
        if not isinstance(src, Workload) or not isinstance(dst, Workload):
            continue
        if src.pod.host_network or dst.pod.host_network:
            continue
        if name in known and src.name not in asked:
            port = next((p.port for p in dst.pod.ports if p.protocol == "UDP"), 53)
            if port_sets.contains(connection.ports, "UDP", port):
                asked.add(src.name)
                found.append(Attempt("observer", src, dst, port, "UDP", "reach", "reach", "dns"))
        if scraper(src):
            for declared in dst.pod.ports:
                read = declared.name in METRIC_PORTS or declared.port == dst.pod.scraped
                mine = read and declared.protocol == "TCP"
                if mine and port_sets.contains(connection.ports, "TCP", declared.port):
                    found.append(Attempt("observer", src, dst, declared.port, "TCP", "reach", "reach"))
    return found
