"""Which connections the policies allow. Source: NetworkPolicy API, networking.k8s.io/v1; tiers.py for the rest.

New connections only. What the API leaves to the implementation is a Reading; `decide` tells where the
answer depends on it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, zip_longest
from typing import Any

from orchestrator.policy.evaluate import tiers
from orchestrator.policy.evaluate.cluster_policies import compiled
from orchestrator.policy.evaluate.cni_profiles import SAID, Reading, readings
from orchestrator.policy.evaluate.meaning import inside, means_pod
from orchestrator.policy.evaluate.ruling import Cited, Ruling
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.pod import End, NamedPort, Pod, families, one_pod
from orchestrator.policy.objects.selector import Requirement, requirements, satisfied

Part = Mapping[str, Any]
_TIERS: tuple[tiers.Tier, ...] = ("Admin", "Baseline")

__all__ = ["Decision", "End", "NamedPort", "Network", "Pod", "Why"]


@dataclass(frozen=True)
class Why:
    """One end's answer: whether it lets the connection pass, and the policies and rules that decide it."""

    side: str
    allowed: bool
    rules: tuple[str, ...]
    fields: tuple[str, ...] = field(default=(), compare=False)

    @property
    def cited(self) -> Iterator[tuple[str, str]]:
        """Each rule with the field below `spec` that decides: a peer or a port where the rule has several, else empty."""
        return zip_longest(self.rules, self.fields, fillvalue="")


@dataclass(frozen=True)
class Decision:
    """`allowed` is None where it depends on the CNI; `depends` says on what. `why` is of the plain reading."""

    allowed: bool | None
    depends: tuple[str, ...] = ()
    why: tuple[Why, ...] = ()


class Network:
    """Namespaces (name to labels) and the policies that stand in them, under one reading of the API."""

    def __init__(
        self,
        namespaces: Mapping[str, Mapping[str, str]],
        policies: Sequence[dict[str, Any]],
        cluster: Sequence[dict[str, Any]] = (),
        settled: Mapping[str, bool] | None = None,
        nodes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`nodes` has the labels of nodes by their addresses; None where they are not known."""
        self._namespaces, self._nodes = namespaces, nodes
        self._settled = dict(settled or {})
        self._plain = Reading(**self._settled)
        self._policies: dict[str, list[dict[str, Any]]] = {}
        for policy in policies:
            self._policies.setdefault(policy["metadata"]["namespace"], []).append(policy)
        self._selecting: dict[str, list[tuple[dict[str, Any], list[Requirement]]]] = {}
        self._cluster = [compiled(policy) for policy in cluster]
        self._ordered = {tier: tiers.ordered(self._cluster, tier) for tier in _TIERS}

    @cached_property
    def _blocks(self) -> bool:
        """Whether any rule names a block of addresses."""
        peers = (
            peer
            for policy in chain.from_iterable(self._policies.values())
            for side in Direction
            for rule in side.rules(policy)
            for peer in side.peers_of(rule)
        )
        return any("ipBlock" in peer for peer in peers)

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

    def isolating(self, pod: Pod, side: Direction) -> list[dict[str, Any]]:
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

    def allowed(self, src: End, dst: End, protocol: str, port: int) -> bool:
        """Both ends must allow; under the plain reading, or what the profile settles."""
        return bool(self.over_ports(src, dst, ports.span(protocol, port, port)))

    def decide(self, src: End, dst: End, protocol: str, port: int) -> Decision:
        """The answer under every reading that is open, with the rules that decide it."""
        asked = ports.span(protocol, port, port)
        found = readings(self._settled, self._open(src, dst))
        pairs = list(families(src, dst))
        answers = {r: any(self._passing(*ends, asked, r) for ends in pairs) for r in found}
        shown = next((p for p in pairs if self._passing(*p, asked, found[0])), pairs[0])
        why = tuple(self._why(*shown, asked, found[0]))
        if len(set(answers.values())) == 1:
            return Decision(answers[found[0]], (), why)
        depends = [q for q in SAID if _matters(q, answers)]
        return Decision(None, tuple(dict.fromkeys(SAID[q] for q in depends)), why)

    def over_ports(self, src: End, dst: End, asked: int) -> int:
        """Those of a set of ports (see ports.py) on which the connection is allowed, under the plain reading."""
        found = 0
        for one, other in families(src, dst):
            found |= self._passing(one, other, asked, self._plain)
        return found

    def passing(self, side: Direction, src: Pod, dst: Pod) -> int:
        """The ports that one end alone lets pass, whatever the other does; of two different pods."""
        found = 0
        for ends in families(src, dst):
            one, other = (_seen(e, self._plain) for e in ends)
            own = _own_node(one, other)
            if not isinstance(side.ends(one, other)[0], Pod) or (own and not self._cluster):
                return ports.ALL
            found |= self._side(side, one, other, ports.ALL, self._plain, own)[0]
        return found

    def _passing(self, src: End, dst: End, asked: int, reading: Reading) -> int:
        own = one_pod(src, dst)
        if own and (reading.self_exempt or not self._cluster):
            return asked
        src, dst = _seen(src, reading), _seen(dst, reading)
        if _own_node(src, dst):
            if not self._cluster:
                return asked
            own = True
        for side in (EGRESS, INGRESS):
            if asked and isinstance(side.ends(src, dst)[0], Pod):
                asked, _ = self._side(side, src, dst, asked, reading, own)
        return asked

    def _why(self, src: End, dst: End, asked: int, reading: Reading) -> Iterator[Why]:
        own = one_pod(src, dst)
        src, dst = _seen(src, reading), _seen(dst, reading)
        own = own or _own_node(src, dst)
        for side in (EGRESS, INGRESS):
            if isinstance(side.ends(src, dst)[0], Pod):
                allowed, decided = self._side(side, src, dst, asked, reading, own)
                cited = [c for ruling in decided for c in ruling.cited(asked)]
                yield Why(side.value, bool(allowed), tuple(r for r, _ in cited), tuple(f for _, f in cited))

    def _side(
        self, side: Direction, src: End, dst: End, asked: int, reading: Reading, own: bool
    ) -> tuple[int, list[Ruling]]:
        """Those of a set of ports that one end lets pass, and what decided on any of them."""
        allowed, decided = 0, []
        for tier in self._tiers(side, src, dst, reading, own):
            passed = 0
            for ruling in tier:
                hit = asked if ruling.ports is ports.ALL else asked & ruling.ports
                if not hit:
                    continue
                decided.append(ruling)
                asked = 0 if hit is asked else asked ^ hit
                if ruling.action == "Accept":
                    allowed |= hit
                elif ruling.action == "Pass":
                    passed |= hit
            asked = asked | passed if passed else asked
            if not asked:
                break
        return allowed, decided

    def _tiers(
        self, side: Direction, src: End, dst: End, reading: Reading, own: bool
    ) -> Iterator[Iterable[Ruling]]:
        """Admin, then NetworkPolicy, then Baseline; `own`, a pod to itself or to its node, passes every NetworkPolicy."""
        end, peer = side.ends(src, dst)
        assert isinstance(end, Pod)
        if self._cluster:
            yield self._tier("Admin", side, end, peer, dst, reading)
        if selecting := self.isolating(end, side):
            yield self._of_rules(selecting, side, peer, dst, reading, own)
        elif not reading.baseline_per_direction and self.isolating(end, side.other):
            yield (_accepted("a NetworkPolicy selects the pod: no Baseline"),)
        elif self._cluster:
            yield self._tier("Baseline", side, end, peer, dst, reading)
        yield (_accepted(f"no policy isolates {end.namespace}/{end.name} for {side}"),)

    def _tier(
        self, tier: tiers.Tier, side: Direction, end: Pod, peer: End, dst: End, reading: Reading
    ) -> Iterator[Ruling]:
        around = tiers.Around(self._namespaces, self._nodes, reading.names_resolve, reading.nodes_match)
        for equals in self._ordered[tier]:
            found = [tiers.rulings(policy, side, end, peer, dst, around) for policy in equals]
            for ruling in tiers.of_equals(found, _first(reading)):
                # Nothing comes after Baseline: what it passes on is allowed.
                last = tier == "Baseline" and ruling.action == "Pass"
                yield ruling._replace(action="Accept") if last else ruling

    def _of_rules(
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
        union = ports.ALL if own else ports.NONE
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
        yield Ruling("Deny", ports.ALL, cited)

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

    def _open(self, src: End, dst: End) -> set[str]:
        """The questions that can bear on these two ends."""
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


def _first(reading: Reading) -> tuple[str, ...]:
    """The actions in the order in which they count among policies of one priority; empty where their names decide."""
    order = ("Deny", "Pass", "Accept")
    if reading.ties_deny:
        return order
    return order[::-1] if reading.ties_allow else ()


def _accepted(text: str) -> Ruling:
    return Ruling("Accept", ports.ALL, lambda asked: [(text, "")])


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


def _matters(question: str, answers: Mapping[Reading, bool]) -> bool:
    """Whether two readings that differ in this question alone give two answers."""
    return any(
        answers.get(replace(r, **{question: not getattr(r, question)}), a) != a for r, a in answers.items()
    )


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
