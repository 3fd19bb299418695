"""The Kubernetes APIs in order: Admin, then NetworkPolicy, then Baseline. Source: NetworkPolicy API, networking.k8s.io/v1;
tiers.py for the rest.
"""

import json
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Any

from orchestrator.policy.evaluate.cluster_policies import compiled
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.meaning import inside, means_pod
from orchestrator.policy.evaluate.order import Ends
from orchestrator.policy.evaluate.pair_index import Bound, Most, accepted
from orchestrator.policy.evaluate.pod_index import PodIndex, bits
from orchestrator.policy.evaluate.ruling import Cited, Ruling, stating
from orchestrator.policy.evaluate.tiers import Around, Tier, bounds, in_tiers, of_equals, rulings, span
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, Pod, one_pod
from orchestrator.policy.objects.selector import Requirement, requirements, satisfied

Part = Mapping[str, Any]
_NOWHERE = Networks()


class KubernetesOrder:
    """What NetworkPolicies say, and the cluster-wide policies before and after them."""

    def __init__(
        self,
        namespaces: Mapping[str, Mapping[str, str]],
        policies: Sequence[Part],
        cluster: Sequence[Part] = (),
        nodes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`nodes` has the labels of nodes by their addresses; None where they are not known."""
        self._namespaces, self._nodes = namespaces, nodes
        self._policies: dict[str, list[Part]] = {}
        for policy in policies:
            self._policies.setdefault(policy["metadata"]["namespace"], []).append(policy)
        self._selecting: dict[tuple[str, Direction], list[tuple[Part, list[Requirement]]]] = {}
        self._named_by: dict[tuple[int, Direction], Sequence[Networks]] = {}  # by policies
        self._named_in: dict[tuple[int, Direction], Networks] = {}  # by rules
        self._cluster = [compiled(policy) for policy in cluster]
        self._ordered = in_tiers(self._cluster)

    @cached_property
    def _blocks(self) -> bool:
        """Whether any rule names a block of addresses."""
        return any("ipBlock" in peer for peer in self._peers())

    @cached_property
    def _ties(self) -> tuple[str, ...]:
        """The questions about cluster-wide policies of one priority; none where each has its own."""
        shared = any(len(equals) > 1 for tier in self._ordered.values() for equals in tier)
        return ("ties_allow", "ties_deny") if shared else ()

    @cached_property
    def _domains(self) -> bool:
        """Whether any rule names hosts whose addresses DNS alone knows."""
        return any(policy.names("domainNames") for policy in self._cluster)

    @cached_property
    def _unknown_nodes(self) -> bool:
        """Whether any rule selects nodes by their labels, which are not known."""
        return self._nodes is None and any(policy.names("nodes") for policy in self._cluster)

    def isolates(self, pod: Pod, side: Direction) -> bool:
        """Whether any NetworkPolicy selects the pod for a direction."""
        return bool(self.isolating(pod, side))

    def networks(self) -> Iterator[Networks]:
        """Of NetworkPolicies the blocks without their exceptions, of cluster-wide policies the networks."""
        for policy in chain.from_iterable(self._policies.values()):
            for side in Direction:
                yield from self._of_policy(policy, side)
        yield from self._of_cluster_rules

    def lone_addresses(self) -> Collection[str]:
        """None: every address is what blocks say of it."""
        return ()

    def networks_of(self, pod: Pod, side: Direction, by_rule: bool = False) -> Iterator[Networks]:
        """Those of the NetworkPolicies that select a pod, and of all cluster-wide policies."""
        for policy in self.isolating(pod, side):
            if by_rule:
                yield from (self._of_rule(rule, side) for rule in side.rules(policy))
            else:
                yield from self._of_policy(policy, side)
        yield from self._of_cluster_rules

    def told_alike(self, pod: Pod, side: Direction) -> Hashable:
        """Who is isolated alike, with the same rules that are open to all; under cluster-wide policies each by itself."""
        if self._cluster:
            return pod
        isolating = self.isolating(pod, side)
        open_to_all = (id(r) for p in isolating for r in side.rules(p) if not side.peers_of(r))
        return bool(isolating), tuple(open_to_all)

    def outward(self, policy: Part, side: Direction) -> bool:
        """Whether a rule of a NetworkPolicy may mean addresses."""
        given = [side.peers_of(rule) for rule in side.rules(policy)]
        return any(not peers or any("ipBlock" in peer for peer in peers) for peers in given)

    def _of_policy(self, policy: Part, side: Direction) -> Sequence[Networks]:
        """The addresses that a policy names, those together that it opens on the same ports."""
        key = (id(policy), side)
        if key not in self._named_by:
            by_ports: dict[str, list[Part]] = {}
            for rule in side.rules(policy):
                blocks = [peer["ipBlock"] for peer in side.peers_of(rule) if peer.get("ipBlock")]
                if blocks:
                    by_ports.setdefault(json.dumps(rule.get("ports"), sort_keys=True), []).extend(blocks)
            self._named_by[key] = [Networks(blocks=blocks) for blocks in by_ports.values()]
        return self._named_by[key]

    @cached_property
    def _of_cluster_rules(self) -> Sequence[Networks]:
        found = [policy.networks() for policy in self._cluster]
        return [networks for some in found for networks in some]

    def _of_rule(self, rule: Part, side: Direction) -> Networks:
        """The addresses that a rule names."""
        key = (id(rule), side)
        if key not in self._named_in:
            blocks = [peer["ipBlock"] for peer in side.peers_of(rule) if peer.get("ipBlock")]
            self._named_in[key] = Networks(blocks=blocks) if blocks else _NOWHERE
        return self._named_in[key]

    def _peers(self) -> Iterator[Part]:
        """Of every rule of every NetworkPolicy."""
        for policy in chain.from_iterable(self._policies.values()):
            for side in Direction:
                for rule in side.rules(policy):
                    yield from side.peers_of(rule)

    def isolating(self, pod: Pod, side: Direction) -> list[Part]:
        """The NetworkPolicies that select a pod for a direction."""
        key = (pod.namespace, side)
        if key not in self._selecting:
            mine = (p for p in self._policies.get(pod.namespace, ()) if side.in_force(p))
            self._selecting[key] = [(p, requirements(p["spec"].get("podSelector") or {})) for p in mine]
        return [p for p, wanted in self._selecting[key] if satisfied(wanted, pod.labels)]

    def questions(self, src: End, dst: End) -> set[str]:
        """Those that can bear on two ends."""
        pods = [e for e in (src, dst) if isinstance(e, Pod)]
        found = set()
        if len(pods) == 2 and self._blocks:
            found.add("block_covers_pods")
        if any(p.host_network for p in pods):
            found |= {"host_as_node", "node_address_hidden"}
        if self._cluster:
            found |= {"baseline_per_direction", *self._ties}
            if one_pod(src, dst):
                found.add("self_exempt")
            if not isinstance(dst, Pod) and self._domains:
                found.add("names_resolve")
            if self._unknown_nodes and (not isinstance(dst, Pod) or dst.host_network):
                found.add("nodes_match")
        return found

    def seen(self, src: End, dst: End, reading: Reading) -> Ends:
        """A pod to itself passes whatever a NetworkPolicy says, and what it talks of with its own node."""
        own = one_pod(src, dst)
        free = own and (reading.self_exempt or not self._cluster)
        src, dst = _seen(src, reading), _seen(dst, reading)
        own = own or _own_node(src, dst)
        return Ends(src, dst, own, free or (own and not self._cluster))

    def tiers(self, side: Direction, ends: Ends, reading: Reading) -> Iterator[Iterable[Ruling]]:
        """Admin, then NetworkPolicy, then Baseline."""
        end, peer = side.ends(ends.src, ends.dst)
        dst = ends.dst
        assert isinstance(end, Pod)
        if self._cluster:
            yield self.of_cluster("Admin", side, end, peer, dst, reading)
        if selecting := self.isolating(end, side):
            yield self.of_rules(selecting, side, peer, dst, reading, ends.own)
        elif not reading.baseline_per_direction and self.isolating(end, side.other):
            yield (stating("Accept", ports.ANY, "a NetworkPolicy selects the pod: no Baseline"),)
        elif self._cluster:
            yield self.of_cluster("Baseline", side, end, peer, dst, reading)
        yield (stating("Accept", ports.ANY, f"no policy isolates {end.namespace}/{end.name} for {side}"),)

    def most(self, pods: Sequence[Pod], reading: Reading) -> Most:
        """For each of some pods those that it may talk to at most, either way; whatever runs in a node's network may be a node."""
        index = PodIndex(pods, self._namespaces)
        named = {side: self._named(index, side, reading) for side in Direction}
        nodes = index.hosts if reading.host_as_node else 0
        found = {}
        for side in Direction:
            tiers = self.bounds(side, index)
            found[side] = [
                accepted(self._bounds(number, side, named, tiers, index.everyone, reading), index.everyone)
                | (index.everyone if nodes >> number & 1 else nodes)
                for number in range(len(pods))
            ]
        return found

    def _bounds(
        self,
        number: int,
        side: Direction,
        named: Mapping[Direction, Mapping[int, int]],
        tiers: Mapping[Tier, Mapping[int, Sequence[Bound]]],
        everyone: int,
        reading: Reading,
    ) -> Iterator[Sequence[Bound]]:
        """As `tiers`, of all other pods at once."""
        yield tiers["Admin"].get(number, ())
        if number in named[side]:
            yield (Bound("Accept", named[side][number]), Bound("Deny", everyone, everyone))
        elif reading.baseline_per_direction or number not in named[side.other]:
            yield tiers["Baseline"].get(number, ())
        yield (Bound("Accept", everyone, everyone),)

    def bounds(self, side: Direction, index: PodIndex) -> Mapping[Tier, Mapping[int, Sequence[Bound]]]:
        """What the cluster-wide policies of each tier say of all pods at once, by the number of the pod."""
        meant = partial(span, pods=index)
        return {tier: bounds(some, side, index, meant) for tier, some in self._ordered.items()}

    def _named(self, index: PodIndex, side: Direction, reading: Reading) -> Mapping[int, int]:
        """For each pod that NetworkPolicies isolate, by its number, the pods that any of their rules names."""
        found: dict[int, int] = {}
        for policy, numbers in self.chosen(index, side):
            named = self.peers(policy, side, index, reading) if numbers else 0
            for number in bits(numbers):
                found[number] = found.get(number, 0) | named
        return found

    def chosen(self, index: PodIndex, side: Direction) -> Iterator[tuple[Part, int]]:
        """As `isolating`, of all pods at once: each NetworkPolicy of a direction with those that it selects."""
        for space, policies in self._policies.items():
            own = index.within(space)
            for policy in policies if own else ():
                if side.in_force(policy):
                    wanted = requirements(policy["spec"].get("podSelector") or {})
                    yield policy, own & index.pods.satisfying(wanted)

    def peers(self, policy: Part, side: Direction, index: PodIndex, reading: Reading) -> int:
        """The pods that any rule of a NetworkPolicy names."""
        space, found = policy["metadata"]["namespace"], 0
        for rule in side.rules(policy):
            given = side.peers_of(rule)
            found |= 0 if given else index.everyone
            for peer in given:
                found |= index.meant(peer, space)
            if reading.block_covers_pods:
                found |= index.covered(self._of_rule(rule, side))
        return found

    def of_cluster(
        self, tier: Tier, side: Direction, end: Pod, peer: End, dst: End, reading: Reading
    ) -> Iterator[Ruling]:
        """What the cluster-wide policies of a tier say, in order."""
        around = Around(self._namespaces, self._nodes, reading.names_resolve, reading.nodes_match)
        for equals in self._ordered[tier]:
            found = [rulings(policy, side, end, peer, dst, around) for policy in equals]
            yield from of_equals(found, _first(reading))

    def of_rules(
        self,
        selecting: Sequence[Part],
        side: Direction,
        peer: End,
        dst: End,
        reading: Reading,
        own: bool,
    ) -> Iterator[Ruling]:
        """What any of the rules allows passes, and nothing else does."""
        met: list[tuple[Part, int, Part, int, int]] = []
        union = ports.ANY if own else ports.NONE
        for policy in selecting:
            space = policy["metadata"]["namespace"]
            for number, rule in enumerate(side.rules(policy)):
                at = self._first_peer(rule, side, space, peer, reading)
                if at is not None:
                    mask = ports.of_rule(rule.get("ports") or (), dst)
                    met.append((policy, number, rule, at, mask))
                    union = union | mask if union else mask

        def cited(asked: int) -> list[Cited]:
            rules = [
                _cited(side, policy, number, rule, at, dst, asked)
                for policy, number, rule, at, mask in met
                if mask & asked
            ]
            return rules or [(f"{title(p)}: no rule allows it", "") for p in selecting]

        yield Ruling("Accept", union, cited)
        yield Ruling("Deny", ports.ANY, cited)

    def _first_peer(
        self, rule: Part, side: Direction, space: str, other: End, reading: Reading
    ) -> int | None:
        """The number of the first of a rule's peers that means an end, 0 where the rule has none; None where none does."""
        peers = side.peers_of(rule)
        if not peers:
            return 0
        if isinstance(other, str) and not self._of_rule(rule, side).hold(other):
            return None
        return next((n for n, p in enumerate(peers) if self._means(p, space, other, reading)), None)

    def _means(self, peer: Part, space: str, other: End, reading: Reading) -> bool:
        block = peer.get("ipBlock")
        if isinstance(other, Pod):
            if block is None:
                return means_pod(peer, space, other, self._namespaces)
            return reading.block_covers_pods and bool(other.ip) and inside(block, other.ip)
        return block is not None and bool(other) and inside(block, other)


def _first(reading: Reading) -> tuple[str, ...]:
    """The actions in the order in which they count among policies of one priority; empty where their names decide."""
    order = ("Deny", "Pass", "Accept")
    if reading.ties_deny:
        return order
    return order[::-1] if reading.ties_allow else ()


def _cited(side: Direction, policy: Part, number: int, rule: Part, at: int, dst: End, asked: int) -> Cited:
    """A rule, and its peer that decides, or else its port, where it has several."""
    entries, place = rule.get("ports") or (), f"{side.part}[{number}]"
    field = ""
    if len(side.peers_of(rule)) > 1:
        field = f"{place}.{side.peers}[{at}]"
    elif len(entries) > 1:
        way = next(n for n, entry in enumerate(entries) if ports.of_rule([entry], dst) & asked)
        field = f"{place}.ports[{way}]"
    return f"{title(policy)} {place}", field


def _own_node(src: End, dst: End) -> bool:
    """Traffic between a pod and the node that it runs on always passes."""
    if isinstance(src, Pod) and isinstance(dst, str):
        return bool(src.node_ip) and dst == src.node_ip
    return isinstance(dst, Pod) and isinstance(src, str) and bool(dst.node_ip) and src == dst.node_ip


def _seen(end: End, reading: Reading) -> End:
    """The end as policies see it: a hostNetwork pod may be its node's address."""
    if isinstance(end, Pod) and end.host_network and reading.host_as_node:
        return "" if reading.node_address_hidden else end.node_ip
    return end
