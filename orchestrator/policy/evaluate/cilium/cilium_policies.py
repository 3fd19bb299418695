"""CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and NetworkPolicy in one form, as Cilium's engine reads them.

Sources: Cilium 1.20, pkg/policy/api/rule.go, pkg/policy/utils/parserules.go, pkg/k8s/network_policy.go.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from orchestrator.policy.evaluate.cilium import cilium_peers, cilium_ports
from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.cilium.cilium_crowd import Crowd
from orchestrator.policy.evaluate.cilium.cilium_identities import Identity, Labels
from orchestrator.policy.evaluate.cilium.cilium_peers import Asked, Blocks, Peers
from orchestrator.policy.evaluate.cilium.cilium_ports import EVERY, NO_PORT, RulePorts
from orchestrator.policy.evaluate.cilium.cilium_selectors import Endpoints, selects_labels, subject
from orchestrator.policy.evaluate.cilium.cilium_services import Referred
from orchestrator.policy.evaluate.meaning import means_pod
from orchestrator.policy.evaluate.tiers import Span
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End
from orchestrator.policy.objects.selector import Requirement, requirements, satisfied

Part = Mapping[str, Any]
_BY_LABEL = ("fromNodes", "toNodes")


@dataclass(frozen=True)
class CiliumRule:
    """One rule where it stands. `handshake` is its authentication where that is more than none."""

    place: str
    deny: bool
    peers: Peers
    ports: RulePorts
    handshake: str = ""

    @cached_property
    def outward(self) -> bool:
        """Whether it may mean others than pods."""
        return self.ports is not NO_PORT and self.peers.outward


@dataclass(frozen=True)
class OfSpace:
    """The pods of one namespace that a NetworkPolicy selects."""

    space: str
    selector: Sequence[Requirement]

    def holds(self, identity: Identity) -> bool:
        pod = identity.pod
        return pod is not None and pod.namespace == self.space and satisfied(self.selector, pod.labels)

    def among(self, crowd: Crowd) -> int:
        """As `holds`, of all pods at once."""
        own = crowd.pods.within(self.space) & crowd.everyone
        return own & crowd.pods.pods.satisfying(self.selector)


@dataclass(frozen=True)
class CiliumPolicy:
    """One spec of a policy: the pods that it selects, its rules by direction, and in which it denies what no rule allows.

    `nodes` says that it selects nodes. `left_out` are directions with rules that policyTypes does not name.
    """

    policy: Part
    subject: Endpoints | OfSpace | None
    rules: Mapping[Direction, tuple[CiliumRule, ...]]
    closes: frozenset[Direction]
    nodes: Part | None = None
    left_out: frozenset[Direction] = field(default=frozenset())

    def selects(self, identity: Identity) -> bool:
        """Whether it is about a pod."""
        return self.subject is not None and self.subject.holds(identity)

    def chosen(self, crowd: Crowd) -> int:
        """As `selects`, of all pods at once."""
        if isinstance(self.subject, OfSpace):
            return self.subject.among(crowd)
        return self.subject.among(crowd.labels) if self.subject else 0

    @cached_property
    def networks(self) -> Mapping[Direction, Sequence[Networks]]:
        """The addresses that its rules name, those together of which they say the same."""
        found: dict[Direction, Sequence[Networks]] = {}
        for side, rules in self.rules.items():
            alike: dict[Hashable, list[Part]] = {}
            for rule in rules:
                if named := list(rule.peers.blocks()):
                    alike.setdefault((rule.deny, rule.handshake, rule.ports), []).extend(named)
            found[side] = [Networks(blocks=blocks) for blocks in alike.values()]
        return found


def specs_of(policy: Part) -> Iterator[tuple[str, Part]]:
    """Each spec of a policy of cilium.io, after what comes before a field of it: nothing, or `specs[0].`."""
    if policy.get("spec"):
        yield "", policy["spec"]
    yield from ((f"specs[{at}].", spec) for at, spec in enumerate(policy.get("specs") or ()))


def of_cilium(policy: Part, agent: CiliumAgent, referred: Referred) -> Iterator[CiliumPolicy]:
    """Each spec of a policy of cilium.io, which has to be valid; none where the agent's options refuse it."""
    space = "" if policy["kind"] == CLUSTERWIDE else str(policy["metadata"].get("namespace") or "default")
    found = [_spec(policy, at, spec, space, agent, referred) for at, spec in specs_of(policy)]
    if agent.node_labels:
        return iter(found)
    rules = chain.from_iterable(chain.from_iterable(one.rules.values()) for one in found)
    return iter(() if any(not rule.peers.kinds.isdisjoint(_BY_LABEL) for rule in rules) else found)


def _spec(
    policy: Part, at: str, spec: Part, space: str, agent: CiliumAgent, referred: Referred
) -> CiliumPolicy:
    rules = {
        side: tuple(
            _rule(f"{at}{name}[{number}]", deny, rule, side, space, agent, referred)
            for deny, name in ((True, f"{side.part}Deny"), (False, side.part))
            for number, rule in enumerate(spec.get(name) or ())
        )
        for side in Direction
    }
    told = spec.get("enableDefaultDeny") or {}
    closes = frozenset(side for side in Direction if rules[side] and told.get(side.part) is not False)
    nodes = spec.get("nodeSelector")
    given = spec.get("endpointSelector")
    selects = None if given is None else subject(given, space)
    return CiliumPolicy(policy, selects, rules, closes, nodes)


def _rule(
    place: str, deny: bool, rule: Part, side: Direction, space: str, agent: CiliumAgent, referred: Referred
) -> CiliumRule:
    peers, ports = (
        cilium_peers.of_rule(rule, side, space, agent, referred),
        cilium_ports.of_rule(rule),
    )
    if ports is None:  # every port of the peers that it names; a rule without those means nothing
        ports = NO_PORT if peers.anybody or peers.unresolved else EVERY
    mode = (rule.get("authentication") or {}).get("mode", "")
    return CiliumRule(place, deny, peers, ports, "" if mode == "disabled" else mode)


@dataclass(frozen=True)
class KubernetesPods:
    """The pods that a selector of NetworkPolicy means: by the labels that identities keep."""

    outward = False
    peer: Part
    space: str
    namespaces: Labels = field(hash=False)

    def means(self, asked: Asked) -> bool:
        pod = asked.identity.pod
        return pod is not None and means_pod(self.peer, self.space, pod, self.namespaces)

    def among(self, crowd: Crowd) -> Span:
        found = crowd.pods.meant(self.peer, self.space) & crowd.everyone
        return Span(found, found)


@dataclass(frozen=True)
class KubernetesPorts(RulePorts):
    """The ports of a rule of NetworkPolicy."""

    entries: tuple[Part, ...] = field(default=(), hash=False)

    def at(self, dst: End) -> int:
        return port_sets.of_rule(self.entries, dst)

    def field(self, dst: End, asked: int) -> str:
        if len(self.entries) < 2:
            return ""
        found = (n for n, entry in enumerate(self.entries) if port_sets.of_rule([entry], dst) & asked)
        return next((f"ports[{n}]" for n in found), "")


def of_kubernetes(policy: Part, namespaces: Labels) -> CiliumPolicy:
    """A NetworkPolicy."""
    space = policy["metadata"]["namespace"]
    rules = {
        side: tuple(
            _kubernetes_rule(f"{side.part}[{number}]", rule, side, space, namespaces)
            for number, rule in enumerate(side.rules(policy))
        )
        for side in Direction
    }
    closes = frozenset(side for side in Direction if side.in_force(policy))
    selects = OfSpace(space, requirements(policy["spec"].get("podSelector") or {}))
    left_out = frozenset(side for side in (INGRESS, EGRESS) if rules[side] and side not in closes)
    return CiliumPolicy(policy, selects, rules, closes, None, left_out)


def _kubernetes_rule(place: str, rule: Part, side: Direction, space: str, namespaces: Labels) -> CiliumRule:
    items = tuple(
        (
            f"{side.peers}[{at}]",
            Blocks((peer["ipBlock"],)) if peer.get("ipBlock") else KubernetesPods(peer, space, namespaces),
        )
        for at, peer in enumerate(side.peers_of(rule))
    )
    ports = KubernetesPorts((), tuple(rule.get("ports") or ()))
    return CiliumRule(place, False, Peers(items, anybody=not items), ports)


def selects_node(policy: CiliumPolicy, labels: Mapping[str, str] | None, guess: bool) -> bool:
    """Whether it selects a node by its labels; `guess` where they are not known and it asks for any."""
    if policy.nodes is None:
        return False
    if labels is None and (policy.nodes.get("matchLabels") or policy.nodes.get("matchExpressions")):
        return guess
    return selects_labels(policy.nodes, labels or {})
