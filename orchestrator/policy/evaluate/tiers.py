"""Policies for the whole cluster, whatever their API: in tiers, by priority, their rules in order.

Of each direction the first rule that matches decides. Source: the API's own text, policy.networking.k8s.io.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, NamedTuple

from orchestrator.policy.evaluate.meaning import inside
from orchestrator.policy.evaluate.pair_index import Bound
from orchestrator.policy.evaluate.pod_index import PodIndex, bits
from orchestrator.policy.evaluate.ruling import Ruling, stating
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.objects.selector import matches, requirements

Labels = Mapping[str, Mapping[str, str]]
Part = Mapping[str, Any]
Tier = Literal["Admin", "Baseline"]


@dataclass(frozen=True)
class TierRule:
    """`action` is Accept, Deny or Pass, `said` the API's own word for it; `ports` is the set of them at a destination.

    `whole` says that it names no ports, and means them all.
    """

    action: str
    said: str
    peers: Sequence[Part]
    ports: Callable[[End], int]
    whole: bool = False


@dataclass(frozen=True)
class TierPolicy:
    """A policy of any of the APIs: its place, and its rules by direction. The lower priority counts first."""

    obj: Part
    tier: Tier
    priority: int
    rules: Mapping[Direction, Sequence[TierRule]]

    @property
    def subject(self) -> Part:
        found: Part = self.obj["spec"]["subject"]
        return found

    def names(self, kind: str) -> bool:
        """Whether a rule has a peer of a kind, such as `nodes`."""
        return any(kind in peer for peer in self._peers())

    def networks(self) -> Iterator[Networks]:
        """The addresses that each of its rules names."""
        for rule in (rule for rules in self.rules.values() for rule in rules):
            if found := [text for peer in rule.peers for text in peer.get("networks") or ()]:
                yield Networks(found)

    def _peers(self) -> Iterator[Part]:
        return (peer for rules in self.rules.values() for rule in rules for peer in rule.peers)


@dataclass(frozen=True)
class Around:
    """What rules ask about beside the two ends: labels of namespaces by their name, labels of nodes by their addresses.

    `nodes` is None where they are not known. `names_resolve` takes every address outside for one that every domain name
    stands for, `nodes_match` every address for one of a node that every selector matches; what a rule says of them is
    asked both ways.
    """

    namespaces: Labels
    nodes: Labels | None = None
    names_resolve: bool = False
    nodes_match: bool = False


def in_tiers(policies: Sequence[TierPolicy]) -> Mapping[Tier, Sequence[Sequence[TierPolicy]]]:
    """All of them, each tier as `ordered` has it."""
    both: tuple[Tier, ...] = ("Admin", "Baseline")
    return {tier: ordered(policies, tier) for tier in both}


def ordered(policies: Sequence[TierPolicy], tier: Tier) -> list[list[TierPolicy]]:
    """A tier's policies, those that count first in front; of those that share a priority the API says no order."""
    mine = sorted(
        (p for p in policies if p.tier == tier), key=lambda p: (p.priority, str(p.obj["metadata"]["name"]))
    )
    return [list(found) for _, found in groupby(mine, key=lambda p: p.priority)]


def of_equals(policies: Sequence[Iterable[Ruling]], first: Sequence[str] = ()) -> Iterator[Ruling]:
    """What the rulings of policies of one priority come to where those with the actions `first` count first; else in order.

    Of each policy the first rule that matches counts, whatever the others say.
    """
    if len(policies) == 1 or not first:
        for rulings in policies:
            yield from rulings
        return
    found = []
    for rulings in policies:
        left = port_sets.ANY
        for ruling in rulings:
            found.append(ruling._replace(ports=ruling.ports & left))
            left &= ~ruling.ports
    yield from sorted(found, key=lambda ruling: first.index(ruling.action))


def selects(subject: Part, pod: Pod, labels: Labels) -> bool:
    """Whether a subject, or a peer of pods, means the pod."""
    spaces = subject.get("namespaces")
    if pod.host_network:
        return False  # the API text: neither subjects nor pod peers
    if spaces is not None:
        return matches(spaces, labels.get(pod.namespace, {}))
    pods = subject.get("pods")
    if pods is None:
        return False
    return matches(pods.get("namespaceSelector") or {}, labels.get(pod.namespace, {})) and matches(
        pods.get("podSelector") or {}, pod.labels
    )


def rulings(
    policy: TierPolicy, side: Direction, end: Pod, peer: End, dst: End, around: Around
) -> Iterator[Ruling]:
    """What a policy's rules that match say, in order."""
    if not selects(policy.subject, end, around.namespaces):
        return
    for number, rule in enumerate(policy.rules[side]):
        if any(_means(p, peer, around) for p in rule.peers):
            said = f"{side.part}[{number}]: {rule.said}"
            yield stating(rule.action, rule.ports(dst), f"{title(policy.obj)} {said}")


class Span(NamedTuple):
    """Pods as bits: all that a peer may mean, and those that it surely means."""

    most: int
    surely: int


def bounds(
    tier: Sequence[Sequence[TierPolicy]], side: Direction, pods: PodIndex, meant: Callable[[Part], Span]
) -> Mapping[int, Sequence[Bound]]:
    """What the rules of a tier say of all pods at once, by the number of the pod that they are asked about, in order.

    `meant` says it of one peer. Of policies with one priority none decides for sure.
    """
    found: dict[int, list[Bound]] = {}
    for equals in tier:
        for policy in equals:
            alone, last = len(equals) == 1, policy.tier == "Baseline"
            rules = [_bound(rule, meant, rule.whole and alone, last) for rule in policy.rules[side]]
            for number in bits(chosen(policy.subject, pods)):
                found.setdefault(number, []).extend(rules)
    return found


def span(peer: Part, pods: PodIndex) -> Span:
    """The pods that a peer means: by its networks at one of their addresses, by its nodes where they run in a node's network."""
    if peer.get("networks") is not None:
        found = pods.covered(Networks(peer["networks"]))
        return Span(found, found & ~pods.several)
    if peer.get("nodes") is not None:
        return Span(pods.hosts, 0)
    found = chosen(peer, pods)
    return Span(found, found)


def chosen(subject: Part, pods: PodIndex) -> int:
    """As `selects`, of all pods at once."""
    if (spaces := subject.get("namespaces")) is not None:
        return pods.spaces.satisfying(requirements(spaces)) & ~pods.hosts
    if (given := subject.get("pods")) is None:
        return 0
    found = pods.spaces.satisfying(requirements(given.get("namespaceSelector") or {}))
    return found & pods.pods.satisfying(requirements(given.get("podSelector") or {})) & ~pods.hosts


def _bound(rule: TierRule, meant: Callable[[Part], Span], decides: bool, last: bool) -> Bound:
    most = surely = 0
    for peer in rule.peers:
        one = meant(peer)
        most, surely = most | one.most, surely | one.surely
    # Nothing comes after Baseline: what it passes on is allowed.
    action = "Accept" if last and rule.action == "Pass" else rule.action
    return Bound(action, most, surely if decides else 0)


def _means(peer: Part, other: End, around: Around) -> bool:
    """A host-network pod has its node's address."""
    networks, nodes = peer.get("networks"), peer.get("nodes")
    if networks is not None:
        address = other.ip if isinstance(other, Pod) else other
        return bool(address) and any(inside({"cidr": n}, address) for n in networks)
    if nodes is not None:
        return _of_node(nodes, other, around)
    if peer.get("domainNames") is not None:
        return around.names_resolve and isinstance(other, str) and other not in (around.nodes or {})
    return isinstance(other, Pod) and selects(peer, other, around.namespaces)


def _of_node(selector: Part, other: End, around: Around) -> bool:
    if isinstance(other, Pod) and not other.host_network:
        return False
    address = other.node_ip if isinstance(other, Pod) else other
    if around.nodes is None:
        return around.nodes_match
    return address in around.nodes and matches(selector, around.nodes[address])
