"""What policies say of addresses outside the cluster, asked once for all that no rule of a workload's own tells apart."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.network.ranges import Range
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.workloads.fleet import Fleet, Workload

# Of what follows each other: the number of the first range, and what holds from there on.
Runs = Sequence[tuple[int, int]]
T = TypeVar("T")


def together(*runs: Runs) -> Iterator[tuple[int, tuple[int, ...]]]:
    """What several say of the same ranges, wherever any of them turns."""
    now = [0] * len(runs)
    turns = sorted((at, number, what) for number, some in enumerate(runs) for at, what in some)
    for at, some in groupby(turns, key=lambda turn: turn[0]):
        for _, number, what in some:
            now[number] = what
        yield at, tuple(now)


def between(net: Network, src: End, dst: End) -> int:
    """Every port on which a connection is allowed, under the network's plain reading."""
    return net.over_ports(src, dst, ports.ALL)


class Beyond:
    """The answers of a fleet's network about ranges outside, in order, which its rules treat alike throughout."""

    def __init__(self, fleet: Fleet, net: Network, spans: Sequence[Range]) -> None:
        self._net, self._spans = net, spans
        self._firsts = {v: [int(s.first) for s in spans if s.first.version == v] for v in (4, 6)}
        self._begins = {4: 0, 6: len(self._firsts[4])}
        known = {str(span.first): at for at, span in enumerate(spans)}
        self._lone = sorted(
            known[a] for a in {*fleet.node_addresses, *net.order.lone_addresses()} if a in known
        )
        self._kinds: dict[tuple[int, ...], Runs] = {}
        self._told: dict[Hashable, Runs] = {}

    def ports(self, pod: Pod, side: Direction) -> Runs:
        """By ranges, on which ports it may reach the pod, or the pod it; an empty set among them."""
        kinds = self.kinds(pod, side)
        alone = pod.host_network or pod.other_ips or pod.other_node_ips
        told = pod if alone else self._net.order.told_alike(pod, side)
        key = (side, id(kinds), told, pod.ports, pod.node_ip, ":" in pod.ip)
        if key not in self._told:
            self._told[key] = list(self._ports(pod, side, kinds))
        return self._told[key]

    def _ports(self, pod: Pod, side: Direction, kinds: Runs) -> Iterator[tuple[int, int]]:
        known: dict[int, int] = {}
        last = None
        for at, kind in kinds:
            if kind not in known:
                ends: tuple[End, End] = (pod, str(self._spans[at].first))
                known[kind] = between(self._net, *side.ends(*ends))
            if last != known[kind] or at == self._begins[6]:
                last = known[kind]
                yield at, last

    def answers(self, side: Direction, workloads: Iterable[Workload]) -> dict[str, tuple[Workload, Runs]]:
        """As `ports`, of workloads by their names; of several with one name what any of them may."""
        found: dict[str, tuple[Workload, Runs]] = {}
        for workload in workloads:
            runs = self.ports(workload.pod, side)
            if workload.name in found:
                both = together(runs, found[workload.name][1])
                runs = [(at, one | other) for at, (one, other) in both]
            found[workload.name] = (workload, runs)
        return found

    def stretches(self, runs: Iterable[tuple[int, T]]) -> Iterator[tuple[int, int, T]]:
        """The numbers of the first range of each, and of the one after its last, and what holds of them."""
        known = list(runs)
        ends = [*(at for at, _ in known), len(self._spans)]
        return ((at, end, what) for (at, what), end in zip(known, ends[1:], strict=True))

    def span(self, at: int, end: int) -> Range:
        """The ranges of some numbers, which follow each other, as one."""
        return Range(self._spans[at].first, self._spans[end - 1].last)

    def kind(self, pod: Pod, side: Direction, span: Range) -> int:
        """As `kinds`, of one range, by the rules that say it: what several ranges share may be said by rules of each."""
        version, runs = span.first.version, self.kinds(pod, side, by_rule=True)
        at = self._begins[version] + bisect_left(self._firsts[version], int(span.first))
        return runs[bisect_right(runs, at, key=lambda run: run[0]) - 1][1]

    def kinds(self, pod: Pod, side: Direction, by_rule: bool = False) -> Runs:
        """By ranges, a number that those share of which the pod's rules say the same, or the same rules where it is asked by rule.

        The address of a node is like no other.
        """
        bearing = tuple(self._net.order.networks_of(pod, side, by_rule))
        key = tuple(map(id, bearing))
        if key not in self._kinds:
            self._kinds[key] = list(self._told_apart(bearing))
        return self._kinds[key]

    def _told_apart(self, bearing: Sequence[Networks]) -> Iterator[tuple[int, int]]:
        turns = [(at, -1 - node) for node in self._lone for at in (node, node + 1)]
        for mark, networks in enumerate(bearing):
            for version, firsts in self._firsts.items():
                for first, last in networks.ranges(version):
                    begin = self._begins[version]
                    turns += (
                        (begin + bisect_left(firsts, first), mark),
                        (begin + bisect_right(firsts, last), mark),
                    )
        turns += [(0, len(bearing)), (0, len(bearing)), (self._begins[6], len(bearing))]
        inside: set[int] = set()
        numbers: dict[frozenset[int], int] = {}
        for at, some in groupby(sorted(turns), key=lambda turn: turn[0]):
            for _, mark in some:
                inside ^= {mark}
            if at < len(self._spans):
                yield at, numbers.setdefault(frozenset(inside), len(numbers))
