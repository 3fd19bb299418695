"""What happens to connections between two namespaces while only one of them has changed.

Both ends must allow a connection, so each has four states: either end old or new. One that is open before and
after may be closed in between, one that is closed before and after may be open.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Literal

from orchestrator.policy.network.connections import pairs
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.wording import few

MOST_PAIRS = 2_000_000


@dataclass(frozen=True)
class Crossing:
    """Ports that break and that open while the source's namespace alone, or the destination's, has changed."""

    src: Workload
    dst: Workload
    source_first: tuple[int, int]
    destination_first: tuple[int, int]

    @property
    def spaces(self) -> tuple[str, str]:
        return self.src.pod.namespace, self.dst.pod.namespace


@dataclass(frozen=True)
class Boundary:
    """A connection that `breaks` or `opens` from one wave until the other; for a moment where they are the same."""

    kind: Literal["breaks", "opens"]
    src: str
    dst: str
    ports: int
    since: int
    until: int

    @property
    def momentary(self) -> bool:
        return self.since == self.until

    def order(self) -> tuple[bool, int, str, str, str]:
        """Those that last come first."""
        return self.momentary, self.since, self.kind, self.src, self.dst

    @property
    def text(self) -> str:
        state = "open" if self.kind == "breaks" else "closed"
        when = (
            f"for a moment within wave {self.since}"
            if self.momentary
            else f"from wave {self.since} until wave {self.until}"
        )
        return f"{self.src} to {self.dst} on {ports.text(self.ports)} {self.kind} {when} ({state} before and after)"


@dataclass(frozen=True)
class Proposal:
    """The waves that would avoid it; `moved` holds only namespaces that change their wave. Empty where none is."""

    moved: Mapping[str, int] = field(default_factory=dict)
    together: tuple[tuple[str, ...], ...] = ()
    text: str = ""


def crossings(
    old: Fleet, new: Fleet, changed: Iterable[str], settled: Mapping[str, bool] | None = None
) -> list[Crossing]:
    """Every pair of workloads in two changed namespaces that one order or the other breaks or opens.

    Raises OverflowError past the bound of pairs that the policies may let talk. Both fleets hold the same workloads.
    """
    names = set(changed)
    workloads = [w for w in old.workloads if w.pod.namespace in names]
    pods = [w.pod for w in workloads]
    nets = (old.network(settled), new.network(settled))
    found = []
    for number, (one, other) in enumerate(pairs(nets, workloads)):
        if number >= MOST_PAIRS:
            raise OverflowError(f"more than {MOST_PAIRS} pairs of pods")
        src, dst = pods[one], pods[other]
        if src.namespace == dst.namespace:
            continue
        out = [net.passing(EGRESS, src, dst) for net in nets]
        into = [net.passing(INGRESS, src, dst) for net in nets]
        before, after = out[0] & into[0], out[1] & into[1]
        between = (out[1] & into[0], out[0] & into[1])
        first, second = ((before & after & ~mid, mid & ~before & ~after) for mid in between)
        if any((*first, *second)):
            found.append(Crossing(workloads[one], workloads[other], first, second))
    return found


def boundaries(found: Sequence[Crossing], waves: Mapping[str, int]) -> list[Boundary]:
    """What happens with these waves; those that last come first."""
    result: dict[Boundary, None] = {}
    for crossing in found:
        since, until = sorted(waves[name] for name in crossing.spaces)
        for kind, mask in zip(("breaks", "opens"), _at(crossing, waves), strict=True):
            if mask:
                named = (crossing.src.name, crossing.dst.name)
                result[Boundary(kind, *named, mask, since, until)] = None  # type: ignore[arg-type]
    return sorted(result, key=Boundary.order)


def until_last(
    states: tuple[Fleet, Fleet, Fleet],
    waves: Mapping[str, int],
    last: int,
    settled: Mapping[str, bool] | None = None,
) -> list[Boundary]:
    """What waits for policies of the whole cluster, which change with the last wave, once all namespaces have changed.

    `states` are before, when only those policies are still as before, and afterwards. Raises OverflowError past the
    bound of pairs.
    """
    if not waves:
        return []
    workloads, nets = states[0].workloads, [state.network(settled) for state in states]
    found = []
    for number, (one, other) in enumerate(pairs(nets, workloads)):
        if number >= MOST_PAIRS:
            raise OverflowError(f"more than {MOST_PAIRS} pairs of pods")
        src, dst = workloads[one], workloads[other]
        ends = [waves[n] for n in (src.pod.namespace, dst.pod.namespace) if n in waves]
        if not ends:
            continue
        before, between, after = (net.over_ports(src.pod, dst.pod, ports.ALL) for net in nets)
        broken, opened = before & after & ~between, between & ~before & ~after
        named = (src.name, dst.name)
        found += [Boundary("breaks", *named, broken, max(ends), last)] if broken else []
        found += [Boundary("opens", *named, opened, max(ends), last)] if opened else []
    return found


def by_end(
    states: tuple[Fleet, Fleet, Fleet],
    when: Callable[[Workload], int],
    settled: Mapping[str, bool] | None = None,
) -> list[Boundary]:
    """What happens where each pod comes to the new policies with a wave of its own, by `when`; those that last come first.

    `states` are before, when of a wave the namespaces alone have changed and not what is for the whole cluster, and
    afterwards. Raises OverflowError past the bound of pairs.
    """
    found: dict[Boundary, None] = {}
    for src, dst, out, into in _moving(states, settled):
        for since, until, sides in _between(when(src), when(dst)):
            state = out[sides[0]] & into[sides[1]]
            before, after = out[0] & into[0], out[-1] & into[-1]
            for kind, mask in (("breaks", before & after & ~state), ("opens", state & ~before & ~after)):
                if mask:
                    found[Boundary(kind, src.name, dst.name, mask, since, until)] = None  # type: ignore[arg-type]
    return sorted(found, key=Boundary.order)


def in_two_phases(
    states: tuple[Fleet, Fleet, Fleet],
    first: Callable[[Workload], int],
    last: Callable[[Workload], int],
    settled: Mapping[str, bool] | None = None,
) -> list[Boundary]:
    """What happens where each pod first gets what both ends of the change allow, and in a later wave the new alone.

    `states` are before, that, and afterwards. Nothing breaks that either end needs in its phase; what opens is what the one end's old
    and the other's new rules let pass. Raises OverflowError past the bound of pairs.
    """
    found: dict[Boundary, None] = {}
    for src, dst, out, into in _moving(states, settled):
        before, after = out[0] & into[0], out[2] & into[2]
        turns, shown = sorted({first(src), first(dst), last(src), last(dst)}), []
        contracts = min(last(src), last(dst))
        for since, until in pairwise(turns):
            one, other = ((since >= first(end)) + (since >= last(end)) for end in (src, dst))
            state, needed = out[one] & into[other], after if since >= contracts else before
            shown.append((since, until, needed & ~state, state & ~before & ~after))
        for at, kind in ((2, "breaks"), (3, "opens")):
            for mask, some in groupby(shown, key=lambda row: row[at]):
                rows = list(some)
                if mask:
                    boundary = Boundary(kind, src.name, dst.name, mask, rows[0][0], rows[-1][1])  # type: ignore[arg-type]
                    found[boundary] = None
    return sorted(found, key=Boundary.order)


def gaps(
    old: Fleet, new: Fleet, when: Callable[[Workload], int], settled: Mapping[str, bool] | None = None
) -> list[Boundary]:
    """Connections that are open before and after, and not at all, or not on a port of both, between the waves of their ends.

    Raises OverflowError past the bound of pairs.
    """
    found = []
    for src, dst, out, into in _moving((old, new), settled):
        waves = when(src), when(dst)
        sides = (1, 0) if waves[0] < waves[1] else (0, 1)
        before, after, state = out[0] & into[0], out[1] & into[1], out[sides[0]] & into[sides[1]]
        if waves[0] != waves[1] and before and after and (not state or before & after & ~state):
            found.append(Boundary("breaks", src.name, dst.name, before | after, min(waves), max(waves)))
    return found


def _moving(
    states: Sequence[Fleet], settled: Mapping[str, bool] | None
) -> Iterator[tuple[Workload, Workload, list[int], list[int]]]:
    """Pairs of which an end lets other ports pass in some state: what each lets out and in, in all of them."""
    workloads, nets = states[0].workloads, [state.network(settled) for state in states]
    for number, (one, other) in enumerate(pairs(nets, workloads)):
        if number >= MOST_PAIRS:
            raise OverflowError(f"more than {MOST_PAIRS} pairs of pods")
        src, dst = workloads[one], workloads[other]
        out = [net.passing(EGRESS, src.pod, dst.pod) for net in nets]
        into = [net.passing(INGRESS, src.pod, dst.pod) for net in nets]
        if not out.count(out[0]) == into.count(into[0]) == len(nets):
            yield src, dst, out, into


def _between(src: int, dst: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """The waves from which and until which both ends stand at which of the three states."""
    if src != dst:
        yield min(src, dst), max(src, dst), (2, 0) if src < dst else (0, 2)
    for wave in {src, dst}:
        yield wave, wave, tuple(1 if w == wave else 2 if w < wave else 0 for w in (src, dst))  # type: ignore[misc]


def _at(crossing: Crossing, waves: Mapping[str, int]) -> tuple[int, int]:
    src, dst = (waves[name] for name in crossing.spaces)
    if src < dst:
        return crossing.source_first
    if src > dst:
        return crossing.destination_first
    one, other = crossing.source_first, crossing.destination_first
    return one[0] | other[0], one[1] | other[1]


def propose(found: Sequence[Crossing], waves: Mapping[str, int]) -> Proposal:
    """An order, or namespaces that change together, with which nothing lasts between two waves."""
    if all(b.momentary for b in boundaries(found, waves)):
        return Proposal()
    bad = set(_bad(found))
    groups = {name: {name} for name in waves}
    for one, other in sorted(bad):
        if (other, one) in bad and groups[one] is not groups[other]:
            joined = groups[one] | groups[other]
            groups.update(dict.fromkeys(joined, joined))
    wanted = {name: max(waves[n] for n in groups[name]) for name in waves}
    # One that must not go first goes after the other.
    for _ in range(len(waves) + 1):
        moved = False
        for one, other in sorted(bad):
            if groups[one] is not groups[other] and wanted[one] <= wanted[other]:
                for name in groups[one]:
                    wanted[name] = wanted[other] + 1
                moved = True
        if not moved:
            break
    if any(not b.momentary for b in boundaries(found, wanted)):
        return Proposal(text="no order of waves avoids it: first commit what widens, then what narrows")
    levels = {old: number for number, old in enumerate(sorted(set(wanted.values())))}
    final = {name: levels[wave] for name, wave in wanted.items()}
    apart = {tuple(sorted(g)) for g in groups.values() if len(g) > 1}
    together = tuple(sorted(g for g in apart if len({waves[n] for n in g}) > 1))
    moves = {name: wave for name, wave in sorted(final.items()) if wave != waves[name]}
    parts = [f"{' and '.join(group)} in one wave" for group in together]
    parts.append(f"move {few([f'{name} to wave {wave}' for name, wave in moves.items()], 10)}")
    return Proposal(moves, together, f"this avoids it: {'; '.join(parts)}")


def _bad(found: Sequence[Crossing]) -> Iterator[tuple[str, str]]:
    """Pairs of which the first namespace must not change before the second."""
    for crossing in found:
        src, dst = crossing.spaces
        if any(crossing.source_first):
            yield src, dst
        if any(crossing.destination_first):
            yield dst, src
