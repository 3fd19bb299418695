"""Cilium's order: Admin, then all policies of a pod as one union in which a denial wins, then Baseline.

Sources: Cilium 1.20, Documentation/security/policy and Documentation/network/kubernetes/policy.rst, pkg/policy/repository.go.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain

from orchestrator.policy.evaluate.cilium.cilium_agent import (
    BASELINE,
    BUGS,
    OVER_SELECTION,
    POLICY_TYPES,
    CiliumAgent,
    agent_among,
)
from orchestrator.policy.evaluate.cilium.cilium_crowd import Crowd
from orchestrator.policy.evaluate.cilium.cilium_identities import Identities, Labels, NodeAddress
from orchestrator.policy.evaluate.cilium.cilium_peers import Asked
from orchestrator.policy.evaluate.cilium.cilium_policies import (
    CiliumPolicy,
    CiliumRule,
    Part,
    of_cilium,
    of_kubernetes,
    selects_node,
)
from orchestrator.policy.evaluate.cilium.cilium_services import Referred
from orchestrator.policy.evaluate.cilium.cilium_tiers import among, of_priority
from orchestrator.policy.evaluate.cilium.cilium_union import met, refusal, unasked, union, union_bounds
from orchestrator.policy.evaluate.cluster_policies import compiled
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.order import Ends
from orchestrator.policy.evaluate.pair_index import Bound, Most, accepted
from orchestrator.policy.evaluate.pod_index import bits
from orchestrator.policy.evaluate.ruling import Cited, Ruling, decided
from orchestrator.policy.evaluate.tiers import Tier, bounds, in_tiers
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE, POLICIES
from orchestrator.policy.objects.directions import INGRESS, Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, Pod, one_pod


class CiliumOrder:
    """Policies of cilium.io, NetworkPolicies and cluster-wide policies, as Cilium enforces them."""

    def __init__(
        self,
        namespaces: Labels,
        policies: Sequence[Part],
        cluster: Sequence[Part] = (),
        nodes: Labels | None = None,
        further: Sequence[Part] = (),
        agent: CiliumAgent | None = None,
    ) -> None:
        """`further` has policies of cilium.io and what they refer to; `nodes` the labels of nodes by their addresses.

        `agent` is what it was told; without it, what `further` says of it.
        """
        self._agent = agent or agent_among(further)
        self._namespaces, self._nodes = namespaces, nodes
        self._identities = Identities(namespaces, nodes, self._agent)
        referred = Referred(further)
        left = self._agent.unwatched
        self._policies = [of_kubernetes(p, namespaces) for p in policies if "NetworkPolicy" not in left]
        for policy in further:
            if policy.get("kind") in POLICIES and policy["kind"] not in left:
                self._policies += of_cilium(policy, self._agent, referred)
        # Its forerunners, AdminNetworkPolicy and BaselineAdminNetworkPolicy, Cilium does not know.
        self._cluster = [
            compiled(p) for p in cluster if p["kind"] == "ClusterNetworkPolicy" and p["kind"] not in left
        ]
        self._ordered = in_tiers(self._cluster)
        self._of_space: dict[str, list[CiliumPolicy]] = {}
        for one in self._policies:
            kind, space = one.policy.get("kind"), one.policy["metadata"].get("namespace")
            self._of_space.setdefault("" if kind == CLUSTERWIDE or not space else space, []).append(one)
        self._selecting: dict[Pod, list[CiliumPolicy]] = {}

    def isolates(self, pod: Pod, side: Direction) -> bool:
        """Whether any policy closes the pod for a direction."""
        if pod.host_network or self._agent.enforcement == "never":
            return False
        return self._agent.enforcement == "always" or bool(
            self._closing(self._selected(pod), side, self._agent.bugs)
        )

    def networks(self) -> Iterator[Networks]:
        """What rules name, and the API server's addresses; of what else is known, none is outside."""
        for policy in self._policies:
            yield from chain.from_iterable(policy.networks.values())
        yield from self._of_all

    def lone_addresses(self) -> Collection[str]:
        """Of whatever the agent knows what it is: the API server, health and ingress."""
        return self._agent.known or ()

    def networks_of(self, pod: Pod, side: Direction, by_rule: bool = False) -> Iterator[Networks]:
        """Those of the policies that select a pod, and of all cluster-wide policies; of a node those of all."""
        for policy in self._policies if pod.host_network else self._selected(pod):
            if by_rule:
                yield from (networks for rule in policy.rules[side] for networks in rule.peers.networks_apart)
            else:
                yield from policy.networks[side]
        yield from self._of_all

    def told_alike(self, pod: Pod, side: Direction) -> Hashable:
        """Whom policies close alike, with the same rules that may mean others than pods; under cluster-wide policies each by itself."""
        if self._cluster:
            return pod
        selecting = self._selected(pod)
        outward = (id(rule) for p in selecting for rule in p.rules[side] if rule.outward)
        closed = bool(self._closing(selecting, side, self._agent.bugs))
        return closed, tuple(outward)

    @cached_property
    def _of_all(self) -> Sequence[Networks]:
        """What bears on every pod."""
        known = (a for a, words in (self._agent.known or {}).items() if "kube-apiserver" in words)
        of_cluster = chain.from_iterable(policy.networks() for policy in self._cluster)
        return [*of_cluster, *(Networks([address]) for address in known)]

    def most(self, pods: Sequence[Pod], reading: Reading) -> Most:
        """For each of some pods those that it may talk to at most, either way; what runs in a node's network may be any node."""
        crowd = Crowd(pods, self._namespaces, self._identities, self._agent)
        self._select(pods, crowd)
        return {side: self._most(pods, crowd, side, reading) for side in Direction}

    def _select(self, pods: Sequence[Pod], crowd: Crowd) -> None:
        """As `_selected`, for all pods at once."""
        found: list[list[CiliumPolicy]] = [[] for _ in pods]
        own = (policies for space, policies in self._of_space.items() if space)
        for policy in chain(*own, self._of_space.get("", ())):
            for number in bits(policy.chosen(crowd)):
                found[number].append(policy)
        self._selecting.update(zip(pods, found, strict=True))

    def _most(self, pods: Sequence[Pod], crowd: Crowd, side: Direction, reading: Reading) -> list[int]:
        everyone, nodes, bugs = crowd.pods.everyone, crowd.pods.hosts, self._agent.bugs
        if self._agent.enforcement == "never":
            return [everyone] * len(pods)
        meant = partial(among, crowd=crowd)
        admin, baseline = (
            bounds(self._ordered[tier], side, crowd.pods, meant) for tier in ("Admin", "Baseline")
        )
        unresolved = reading.services_open or bool(self._agent.quirks)
        # By policies, each once.
        named = {id(p): union_bounds(p, side, crowd, bugs, unresolved) for p in self._policies}
        refused, rest = (Bound("Deny", everyone, everyone),), (Bound("Accept", everyone, everyone),)
        found = []
        for number, pod in enumerate(pods):
            if pod.host_network:
                found.append(everyone)
                continue
            selecting = self._selecting[pod]
            closed = refused if self._closed(pod, self._closing(selecting, side, bugs)) else ()
            denied: list[Bound] = []
            allowed = 0
            for policy in selecting:
                denied += named[id(policy)][0]
                allowed |= named[id(policy)][1]
            tiers = (
                admin.get(number, ()),
                (*denied, Bound("Accept", allowed)),
                closed if BASELINE not in bugs else (),
                baseline.get(number, ()),
                closed or rest,
            )
            found.append(accepted(tiers, everyone) | nodes)
        return found

    @cached_property
    def _rules(self) -> list[CiliumRule]:
        return [rule for p in self._policies for rule in chain.from_iterable(p.rules.values())]

    @cached_property
    def _kinds(self) -> frozenset[str]:
        """The fields of peers that any rule has, and what else the answers of any rule depend on."""
        found = {kind for rule in self._rules for kind in rule.peers.kinds}
        found |= {"kube-apiserver" for rule in self._rules if rule.peers.names("kube-apiserver")}
        found |= {"unresolved" for rule in self._rules if rule.peers.unresolved}
        found |= {"handshake" for rule in self._rules if rule.handshake}
        found |= {kind for p in self._cluster for kind in ("domainNames", "nodes") if p.names(kind)}
        return frozenset(found)

    def questions(self, src: End, dst: End) -> set[str]:
        """Those that can bear on two ends."""
        found = set()
        outside = any(not isinstance(e, Pod) for e in (src, dst))
        if outside and self._kinds & {"toFQDNs", "domainNames"}:
            found.add("names_resolve")
        if outside and self._kinds & {"toGroups", "fromGroups"}:
            found.add("in_groups")
        if self._agent.known is None and "kube-apiserver" in self._kinds:
            found.add("is_api_server")
        if "unresolved" in self._kinds and not self._agent.quirks:
            found.add("services_open")
        if "handshake" in self._kinds:
            found.add("peers_authenticate")
        if self._agent.enforcement == "always" and not self._agent.quirks:
            found.add("own_node_first")
        src, dst = self._as_node(src), self._as_node(dst)
        if any(self._identities.on_unsaid_node(*ends) for ends in ((src, dst), (dst, src))):
            found.add("same_node")
        if self._nodes is None and ("nodes" in self._kinds or self._agent.host_firewall):
            found.add("nodes_match")
        return found

    def seen(self, src: End, dst: End, reading: Reading) -> Ends:
        """A pod to itself never leaves it; what runs in a node's network is the node."""
        own = one_pod(src, dst)
        src, dst = self._as_node(src), self._as_node(dst)
        own = own or (_address_of_node(src) is not None and _address_of_node(src) == _address_of_node(dst))
        return Ends(src, dst, own, own)

    def _as_node(self, end: End) -> End:
        """A node by its address, or where it has policies of its own as an end that they select."""
        if isinstance(end, Pod) and end.host_network:
            end = NodeAddress(end.node_ip)
        if isinstance(end, Pod) or not self._identities.known_node(end):
            return end
        if self._agent.host_firewall and end:
            return Pod("", f"node {end}", ip=end, node_ip=end, host_network=True)
        return NodeAddress(end)

    def tiers(self, side: Direction, ends: Ends, reading: Reading) -> Iterator[Iterable[Ruling]]:
        """Admin, then the union of all policies, then Baseline; what an open bug changes is said."""
        for tier in self._tiers(side, ends, reading, self._agent.bugs):
            if not self._said_bugs:
                yield tier
                continue
            yield (r._replace(cited=partial(self._with_bugs, r, side, ends, reading)) for r in tier)

    @cached_property
    def _said_bugs(self) -> tuple[str, ...]:
        """The bugs that can matter to these policies, and do not decide."""
        can = {
            POLICY_TYPES: any(p.left_out for p in self._policies),
            OVER_SELECTION: bool(self._cluster) or any(rule.peers.negated for rule in self._rules),
            BASELINE: bool(self._ordered["Baseline"]),
        }
        return tuple(bug for bug in BUGS if can[bug] and bug not in self._agent.bugs)

    def _with_bugs(
        self, ruling: Ruling, side: Direction, ends: Ends, reading: Reading, asked: int
    ) -> list[Cited]:
        """What a ruling cites, and the open bugs of the engine that answer otherwise."""
        found = list(ruling.cited(asked))
        if ruling.action == "Pass" or not (hit := asked & ruling.ports):
            return found
        ours = self._agent.bugs
        here, _ = decided(self._tiers(side, ends, reading, ours), asked)
        for bug in self._said_bugs:
            there, _ = decided(self._tiers(side, ends, reading, ours | {bug}), asked)
            if (here ^ there) & hit:
                found.append((BUGS[bug], ""))
        return found

    def _tiers(
        self, side: Direction, ends: Ends, reading: Reading, bugs: frozenset[str]
    ) -> Iterator[Iterable[Ruling]]:
        end, peer = side.ends(ends.src, ends.dst)
        assert isinstance(end, Pod)
        if self._agent.enforcement == "never":
            yield (unasked(end, side),)
            return
        asked = Asked(self._identities.of(peer, end, reading), reading, bugs)
        yield from self._tier("Admin", side, end, asked, ends, peer)
        selecting = self._selected_end(end, reading)
        closing = self._closing(selecting, side, bugs)
        closed = self._closed(end, closing)
        found = met(selecting, side, asked, ends.dst, bool(self._agent.quirks))
        own = side is INGRESS and not end.host_network and self._own_node(asked, bool(closing))
        yield union(list(found), asked.reading, ends.dst, own)
        if closed and BASELINE not in bugs:
            yield closed
        yield from self._tier("Baseline", side, end, asked, ends, peer)
        yield closed or (unasked(end, side),)

    def _closed(self, end: Pod, closing: Sequence[CiliumPolicy]) -> tuple[Ruling, ...]:
        """What denies the rest; nothing where nothing does."""
        always = self._agent.enforcement == "always" and not end.host_network
        return (refusal(closing),) if closing or always else ()

    def _own_node(self, asked: Asked, closing: bool) -> bool:
        """Whether the other end is the node that a pod runs on, and comes in without a rule; `closing` policies or none."""
        first = closing or self._agent.enforcement != "always" or asked.reading.own_node_first
        return first and not self._agent.own_node_asks and "host" in asked.identity.entities

    def _tier(
        self, tier: Tier, side: Direction, end: Pod, asked: Asked, ends: Ends, peer: End
    ) -> Iterator[Iterable[Ruling]]:
        if not self._ordered[tier]:
            return
        address = _address_of_node(peer)
        labels = None if address is None else self._identities.node_labels(address)
        me = self._identities.of(end, end, asked.reading)
        found = chain.from_iterable(
            of_priority(equals, side, me, asked, ends.dst, self._namespaces, labels)
            for equals in self._ordered[tier]
        )
        # Nothing comes after Baseline but what denies the rest: what it passes on is allowed.
        yield (r._replace(action="Accept") if tier == "Baseline" and r.action == "Pass" else r for r in found)

    def _selected(self, pod: Pod) -> list[CiliumPolicy]:
        if pod not in self._selecting:
            me = self._identities.of_pod(pod)
            near = chain(self._of_space.get(pod.namespace, ()), self._of_space.get("", ()))
            self._selecting[pod] = [p for p in near if p.selects(me)]
        return self._selecting[pod]

    def _selected_end(self, end: Pod, reading: Reading) -> list[CiliumPolicy]:
        if not end.host_network:
            return self._selected(end)
        labels = self._identities.node_labels(end.ip)
        return [p for p in self._of_space.get("", ()) if selects_node(p, labels, reading.nodes_match)]

    def _closing(
        self, selecting: Sequence[CiliumPolicy], side: Direction, bugs: frozenset[str]
    ) -> list[CiliumPolicy]:
        """Those that deny what no rule allows."""
        return [p for p in selecting if side in p.closes or (POLICY_TYPES in bugs and side in p.left_out)]


def _address_of_node(end: End) -> str | None:
    """The address of an end that is a node; None for any other."""
    if isinstance(end, Pod):
        return end.ip if end.host_network else None
    return end if isinstance(end, NodeAddress) and end else None
