"""The Kubernetes APIs in order: Admin, then NetworkPolicy, then Baseline. Source: NetworkPolicy API, networking.k8s.io/v1;
tiers.py for the rest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from orchestrator.policy.evaluate.cluster_policies import compiled
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.meaning import inside, means_pod
from orchestrator.policy.evaluate.order import Ends
from orchestrator.policy.evaluate.ruling import Cited, Ruling, stating
from orchestrator.policy.evaluate.tiers import Around, Tier, in_tiers, of_equals, rulings
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End, Pod, one_pod
from orchestrator.policy.objects.selector import Requirement, requirements, satisfied

Part = Mapping[str, Any]


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
        self._selecting: dict[str, list[tuple[Part, list[Requirement]]]] = {}
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

    def blocks(self) -> Iterator[str]:
        """Of NetworkPolicies the blocks and their exceptions, of cluster-wide policies the networks."""
        for peer in self._peers():
            block = peer.get("ipBlock") or {}
            yield from [*([block["cidr"]] if block else ()), *(block.get("except") or ())]
        for policy in self._cluster:
            yield from policy.networks()

    def _peers(self) -> Iterator[Part]:
        """Of every rule of every NetworkPolicy."""
        for policy in chain.from_iterable(self._policies.values()):
            for side in Direction:
                for rule in side.rules(policy):
                    yield from side.peers_of(rule)

    def isolating(self, pod: Pod, side: Direction) -> list[Part]:
        """The NetworkPolicies that select a pod for a direction."""
        space = pod.namespace
        if space not in self._selecting:
            mine = self._policies.get(space, ())
            self._selecting[space] = [(p, requirements(p["spec"].get("podSelector") or {})) for p in mine]
        return [
            p for p, wanted in self._selecting[space] if side.in_force(p) and satisfied(wanted, pod.labels)
        ]

    def isolated(self, pod: Pod, side: Direction) -> bool:
        """Whether any NetworkPolicy selects the pod for a direction."""
        return bool(self.isolating(pod, side))

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

    def of_cluster(
        self, tier: Tier, side: Direction, end: Pod, peer: End, dst: End, reading: Reading
    ) -> Iterator[Ruling]:
        """What the cluster-wide policies of a tier say, in order."""
        around = Around(self._namespaces, self._nodes, reading.names_resolve, reading.nodes_match)
        for equals in self._ordered[tier]:
            found = [rulings(policy, side, end, peer, dst, around) for policy in equals]
            for ruling in of_equals(found, _first(reading)):
                # Nothing comes after Baseline: what it passes on is allowed.
                last = tier == "Baseline" and ruling.action == "Pass"
                yield ruling._replace(action="Accept") if last else ruling

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
                at = self._first_peer(side.peers_of(rule), space, peer, reading)
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

    def _first_peer(self, peers: Sequence[Part], space: str, other: End, reading: Reading) -> int | None:
        """The number of the first of a rule's peers that means an end, 0 where the rule has none; None where none does."""
        if not peers:
            return 0
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
