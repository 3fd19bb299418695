"""The order in which Calico asks policies of all APIs: tier after tier, then the namespace's profile, which allows.

Source: projectcalico.org/v3, Tier and order. NetworkPolicies are in the tier `default` at order 1000, cluster-wide policies in
tiers of their own.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from orchestrator.policy.evaluate.calico.calico_crowd import Crowd
from orchestrator.policy.evaluate.calico.calico_policies import CalicoPolicy, of_pods
from orchestrator.policy.evaluate.calico.calico_tiers import (
    DEFAULT,
    Entry,
    Tier,
    of_kubernetes,
    tiers,
)
from orchestrator.policy.evaluate.calico.calico_world import World, is_calico
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.kubernetes_order import KubernetesOrder
from orchestrator.policy.evaluate.order import Ends
from orchestrator.policy.evaluate.pair_index import Bound, Most, accepted
from orchestrator.policy.evaluate.pod_index import bits
from orchestrator.policy.evaluate.ruling import Ruling, stating
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, Pod, one_pod

Part = Mapping[str, Any]
_COVERING = Reading(block_covers_pods=True)
_OF_CLUSTER = {
    "ties_allow",
    "ties_deny",
    "names_resolve",
    "nodes_match",
}  # what is open in cluster-wide policies here, too


class Selecting(NamedTuple):
    """The policies of a tier that select a pod for a direction, in order by their names from 3.32 on and up to 3.31."""

    tier: Tier
    by_name: Sequence[Entry]
    by_tier: Sequence[Entry]

    def led_by(self, first: Entry) -> "Selecting":
        """The same with one of them before the others of its order."""
        ways = (
            sorted(entries, key=lambda e: (e.order, e is not first))
            for entries in (self.by_name, self.by_tier)
        )
        return Selecting(self.tier, *ways)


class CalicoOrder:
    """What Calico makes of its own policies, of NetworkPolicies and of cluster-wide ones."""

    def __init__(
        self,
        namespaces: Mapping[str, Mapping[str, str]],
        policies: Sequence[Part],
        cluster: Sequence[Part],
        nodes: Mapping[str, Mapping[str, str]] | None,
        further: Sequence[Part],
    ) -> None:
        """`nodes` has the labels of nodes by their addresses; None where they are not known."""
        self._namespaces = namespaces
        self.world = World(namespaces, further)
        self._kubernetes = KubernetesOrder(namespaces, policies, cluster, nodes)
        self._tiers = tiers(further, cluster)
        self._selected: dict[tuple[Pod, Direction], list[Selecting]] = {}
        self._calico = [CalicoPolicy(obj, self.world) for obj in further if is_calico(obj) and of_pods(obj)]
        by_name = {tier.name: tier for tier in self._tiers}
        for policy in self._calico:
            if tier := by_name.get(policy.tier or DEFAULT):  # Calico asks no policy whose tier is not there
                tier.add(policy)

    def questions(self, src: End, dst: End) -> set[str]:
        """Those that can bear on two ends."""
        ends = self.seen(src, dst, _COVERING)
        found = self._kubernetes.questions(src, dst) & _OF_CLUSTER
        for side in () if ends.free else Direction:
            end, _ = side.ends(*ends.both)
            if not isinstance(end, Pod):
                continue
            for selecting in self.selecting(end, side):
                for entry in selecting.by_name:
                    if entry.policy:
                        found |= entry.policy.asks[side]
                if selecting.by_name != selecting.by_tier:
                    found.add("names_by_tier")
        return found

    def seen(self, src: End, dst: End, reading: Reading) -> Ends:
        """A host-network pod is its node's address. What a node sends to its own pods passes, as what a pod sends to itself.

        A host-network pod is judged by rules even where it may run on the other's node: nothing keeps it there.
        """
        probing = isinstance(dst, Pod) and isinstance(src, str) and bool(src) and src == dst.node_ip
        own = one_pod(src, dst)
        return Ends(_seen(src), _seen(dst), own, own or probing)

    def tiers(self, side: Direction, ends: Ends, reading: Reading) -> Iterator[Iterable[Ruling]]:
        """Each tier with a policy that selects the pod, then the profile."""
        end, _ = side.ends(*ends.both)
        assert isinstance(end, Pod)
        yield from self.asked(self.selecting(end, side), side, ends, reading)

    def asked(
        self, selecting: Iterable[Selecting], side: Direction, ends: Ends, reading: Reading
    ) -> Iterator[Iterable[Ruling]]:
        """Some tiers of a pod's, in the order that is given, then the profile."""
        end, _ = side.ends(*ends.both)
        assert isinstance(end, Pod)
        for one in selecting:
            yield self.rulings(one, side, ends, reading)
        text = f"no policy isolates {end.namespace}/{end.name} for {side}"
        yield (stating("Accept", ports.ANY, text),)

    def isolates(self, pod: Pod, side: Direction) -> bool:
        """Whether a tier that denies what it does not decide has a policy that selects the pod."""
        end = _seen(pod)
        return isinstance(end, Pod) and any(
            found.by_name and not found.tier.passes for found in self.selecting(end, side)
        )

    def networks(self) -> Iterator[Networks]:
        """Those that rules name, with sets where a rule selects by labels, and with the addresses of Services."""
        yield from self._kubernetes.networks()
        for policy in self._calico:
            yield from chain.from_iterable(policy.networks.values())

    def lone_addresses(self) -> Collection[str]:
        """None: every address is what rules and sets say of it."""
        return ()

    def networks_of(self, pod: Pod, side: Direction, by_rule: bool = False) -> Iterator[Networks]:
        """Those of the policies that select a pod, and of all cluster-wide policies of Kubernetes."""
        yield from self._kubernetes.networks_of(pod, side, by_rule)
        for selecting in self.selecting(pod, side):
            for entry in selecting.by_name:
                yield from entry.policy.networks[side] if entry.policy else ()

    def told_alike(self, pod: Pod, side: Direction) -> Hashable:
        """Whom the same tiers close, with the same policies that may mean addresses; by itself whom rules or other policies pick out."""
        selecting = self.selecting(pod, side)
        outward = [e for one in selecting for e in one.by_name if self._outward(e, side)]
        picked = any(e.policy and e.policy.picks(side) for e in outward)
        if picked or any(one.tier.cluster for one in selecting):
            return pod
        return tuple(one.tier.name for one in selecting), tuple(id(e.obj) for e in outward)

    def _outward(self, entry: Entry, side: Direction) -> bool:
        """Whether a policy may mean addresses."""
        return entry.policy.outward[side] if entry.policy else self._kubernetes.outward(entry.obj, side)

    def most(self, pods: Sequence[Pod], reading: Reading) -> Most:
        """For each of some pods those that it may talk to at most, either way; what runs in a node's network is its address."""
        crowd = Crowd(pods, self._namespaces, self.world)
        return {side: self._most(pods, crowd, side, reading) for side in Direction}

    def _most(self, pods: Sequence[Pod], crowd: Crowd, side: Direction, reading: Reading) -> list[int]:
        everyone, nodes = crowd.pods.everyone, crowd.pods.hosts
        self._select(pods, crowd, side)
        of_cluster = self._kubernetes.bounds(side, crowd.pods)
        named: dict[int, Sequence[tuple[int, Bound]]] = {}  # by policies, each once

        def said(entry: Entry) -> Sequence[tuple[int, Bound]]:
            if (key := id(entry.obj)) not in named and entry.policy:
                named[key] = entry.policy.bounds(side, crowd, reading)
            elif key not in named:
                peers = self._kubernetes.peers(entry.obj, side, crowd.pods, _COVERING)
                named[key] = [(everyone, Bound("Accept", peers))]
            return named[key]

        def asked(number: int, pod: Pod) -> Iterator[Iterable[Bound]]:
            for tier, by_name, by_tier in self.selecting(pod, side):
                entries = by_tier if reading.names_by_tier else by_name
                rules = list(of_cluster[tier.cluster].get(number, ())) if tier.cluster else []
                rules += [bound for e in entries for own, bound in said(e) if own >> number & 1]
                if entries:
                    rules.append(Bound("Pass" if tier.passes else "Deny", everyone, everyone))
                yield rules
            yield (Bound("Accept", everyone, everyone),)

        return [
            everyone if pod.host_network else accepted(asked(number, pod), everyone) | nodes
            for number, pod in enumerate(pods)
        ]

    def _select(self, pods: Sequence[Pod], crowd: Crowd, side: Direction) -> None:
        """As `selecting`, for all pods at once."""
        by_pod: list[list[Selecting]] = [[] for _ in pods]
        for tier in self._tiers:
            chosen = [
                (entry, list(bits(entry.policy.chosen(crowd))))
                for entry in chain(tier.of_all, *tier.by_space.values())
                if entry.policy and entry.policy.in_force(side)
            ]
            if tier.name == DEFAULT:
                of_others = self._kubernetes.chosen(crowd.pods, side)
                chosen += [(of_kubernetes(policy), list(bits(found))) for policy, found in of_others]
            ways: list[dict[int, list[Entry]]] = [{}, {}]
            for way, found in enumerate(ways):
                for entry, numbers in sorted(chosen, key=lambda one: one[0].place(way)):
                    for number in numbers:
                        found.setdefault(number, []).append(entry)
            for number in range(len(pods)) if tier.cluster else ways[0]:
                by_pod[number].append(Selecting(tier, *(found.get(number, ()) for found in ways)))
        for pod, selecting in zip(pods, by_pod, strict=True):
            if not pod.host_network:
                self._selected[pod, side] = selecting

    def selecting(self, pod: Pod, side: Direction) -> list[Selecting]:
        """The tiers that are asked about a pod, in order."""
        key = (pod, side)
        if key not in self._selected:
            known = self.world.place(pod).known[0]
            found = []
            for tier in self._tiers:
                entries = [
                    entry
                    for entry in chain(tier.of_all, tier.by_space.get(pod.namespace, ()))
                    if entry.policy and entry.policy.in_force(side) and entry.policy.selects(known)
                ]
                if tier.name == DEFAULT:
                    entries += [of_kubernetes(policy) for policy in self._kubernetes.isolating(pod, side)]
                if entries or tier.cluster:
                    found.append(_ordered(tier, entries))
            self._selected[key] = found
        return self._selected[key]

    def rulings(
        self, selecting: Selecting, side: Direction, ends: Ends, reading: Reading
    ) -> Iterator[Ruling]:
        """What a tier says of a connection, in order; the last one is of what none of its rules decides."""
        tier, entries = selecting.tier, selecting.by_tier if reading.names_by_tier else selecting.by_name
        end, peer = side.ends(*ends.both)
        if tier.cluster and isinstance(end, Pod):
            yield from self._kubernetes.of_cluster(tier.cluster, side, end, peer, ends.dst, reading)
        for entry in entries:
            yield from self.of_entry(entry, side, ends, reading)
        if entries:
            yield Ruling("Pass" if tier.passes else "Deny", ports.ANY, lambda asked: _left(tier, entries))

    def of_entry(self, entry: Entry, side: Direction, ends: Ends, reading: Reading) -> Iterator[Ruling]:
        """What the rules of one policy say of a connection, in order."""
        if entry.policy:
            src, dst = (self.world.place(e) for e in ends.both)
            yield from entry.policy.rulings(side, src, dst, reading)
            return
        _, peer = side.ends(*ends.both)
        rules = self._kubernetes.of_rules([entry.obj], side, peer, ends.dst, _COVERING, own=False)
        yield next(rules)  # what it does not allow, others of the tier still may


def _ordered(tier: Tier, entries: Iterable[Entry]) -> Selecting:
    return Selecting(tier, *(sorted(entries, key=lambda e: e.place(way)) for way in range(2)))


def _seen(end: End) -> End:
    return end.node_ip if isinstance(end, Pod) and end.host_network else end


def _left(tier: Tier, entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Who says what becomes of what no rule of a tier decides."""
    if tier.passes:
        return [(f"Tier/{tier.name}: passes on what no rule of it decides", "")]
    whose = "" if tier.name == DEFAULT else f" of the tier {tier.name}"
    return [(f"{entry.title}: no rule{whose} allows it", "") for entry in entries]
