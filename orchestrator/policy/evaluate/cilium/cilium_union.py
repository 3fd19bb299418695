"""All policies of a pod as one union: what any rule denies, then what any rule allows. Source: Cilium 1.20, pkg/policy/rule.go."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from orchestrator.policy.evaluate.cilium.cilium_agent import POLICY_TYPES
from orchestrator.policy.evaluate.cilium.cilium_crowd import Crowd
from orchestrator.policy.evaluate.cilium.cilium_peers import Asked
from orchestrator.policy.evaluate.cilium.cilium_policies import CiliumPolicy, CiliumRule
from orchestrator.policy.evaluate.cilium.cilium_ports import EVERY, NO_PORT
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.pair_index import Bound
from orchestrator.policy.evaluate.ruling import Cited, Ruling, stating
from orchestrator.policy.evaluate.tiers import Span
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End, Pod

# A rule that means the other end: its policy, the peer that does, and the ports at the destination.
Met = tuple[CiliumPolicy, CiliumRule, str, int]


def met(
    policies: Iterable[CiliumPolicy], side: Direction, asked: Asked, dst: End, quirks: bool
) -> Iterator[Met]:
    """The rules of a direction that mean the other end; with `quirks` those too whose Services are not there."""
    for policy in policies:
        if side in policy.left_out and POLICY_TYPES not in asked.bugs:
            continue
        for rule in policy.rules[side]:
            peer = rule.peers.met(asked)
            if peer is None and rule.peers.unresolved and (asked.reading.services_open or quirks):
                peer = ""
            if peer is not None:
                yield policy, rule, peer, rule.ports.at(dst)


def union(found: Sequence[Met], reading: Reading, dst: End, own_node: bool) -> Iterator[Ruling]:
    """What the rules that mean the other end come to; `own_node` comes in last, where no rule denies it."""
    allowing = [m for m in found if not m[1].deny]
    denying = [m for m in found if m[1].deny]
    denying += [m for m in allowing if not _authenticated(m[1], reading)]
    for one in denying:
        yield Ruling("Deny", one[3], partial(_cited, [one], dst))
    allowed = port_sets.NONE
    for *_, ports in allowing:
        allowed = allowed | ports if allowed else ports
    yield Ruling("Accept", allowed, partial(_cited, allowing, dst))
    if own_node:
        text = "the pod's own node, which Cilium lets in where no rule denies it"
        yield stating("Accept", port_sets.ANY, text)


def union_bounds(
    policy: CiliumPolicy, side: Direction, crowd: Crowd, bugs: frozenset[str], unresolved: bool
) -> tuple[Sequence[Bound], int]:
    """As `met`, of all pods at once: what it denies, and whom it allows; `unresolved` counts rules whose Services are not there."""
    denied: list[Bound] = []
    allowed = 0
    for rule in policy.rules[side] if side not in policy.left_out or POLICY_TYPES in bugs else ():
        found = rule.peers.among(crowd)
        if rule.peers.unresolved and unresolved:
            found = Span(crowd.everyone, 0)
        if rule.ports is NO_PORT:
            continue
        if not rule.deny:
            allowed |= found.most
        elif rule.ports is EVERY:
            denied.append(Bound("Deny", found.most, found.surely))
    return denied, allowed


def refusal(closing: Sequence[CiliumPolicy]) -> Ruling:
    """What denies the rest: policies that select the pod, or the agent's enforcement where there is none."""
    return Ruling("Deny", port_sets.ANY, partial(_refused, closing))


def unasked(end: Pod, side: Direction) -> Ruling:
    """What allows all where nothing denies the rest."""
    name = end.name if end.host_network else f"{end.namespace}/{end.name}"
    return stating("Accept", port_sets.ANY, f"no policy isolates {name} for {side}")


def _authenticated(rule: CiliumRule, reading: Reading) -> bool:
    """Whether the two ends authenticate as a rule asks."""
    return not rule.handshake or (rule.handshake == "required" and reading.peers_authenticate)


def _refused(closing: Sequence[CiliumPolicy], _: int) -> list[Cited]:
    found = [f"{title(p.policy)}: no rule allows it" for p in closing]
    return [(text, "") for text in found or ["no policy allows it, and Cilium's enable-policy is always"]]


def _cited(found: Sequence[Met], dst: End, asked: int) -> list[Cited]:
    """Each rule, and its peer that decides, or else its port, where it has several."""
    return [
        _cited_rule(policy, rule, peer, dst, asked) for policy, rule, peer, ports in found if ports & asked
    ]


def _cited_rule(policy: CiliumPolicy, rule: CiliumRule, peer: str, dst: End, asked: int) -> Cited:
    field = peer or rule.ports.field(dst, asked)
    proxied = " (l7: a proxy decides on each request)" if rule.ports.proxied(dst, asked) else ""
    shaken = " (once both ends authenticate)" if rule.handshake else ""
    return f"{title(policy.policy)} {rule.place}{proxied}{shaken}", field and f"{rule.place}.{field}"
