"""ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2: tiers, priorities, Accept, Deny and Pass.

Source: the API's own text. `networks` cover traffic inside the cluster as well.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.objects.selector import matches

Labels = Mapping[str, Mapping[str, str]]
Policy = Mapping[str, Any]


def ordered(policies: Sequence[Policy], tier: str, ties_reversed: bool) -> list[Policy]:
    """A tier's policies, the one that counts first in front."""
    mine = sorted(
        (p for p in policies if p["spec"].get("tier") == tier), key=lambda p: str(p["metadata"]["name"])
    )
    if ties_reversed:
        mine.reverse()
    return sorted(mine, key=lambda p: int(p["spec"]["priority"]))


def selects(policy: Policy, pod: Pod, labels: Labels) -> bool:
    """Whether a policy's subject is the pod."""
    return _subject(policy["spec"]["subject"], pod, labels)


def _subject(subject: Mapping[str, Any], pod: Pod, labels: Labels) -> bool:
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


def action(
    policies: Sequence[Policy],
    side: Direction,
    end: Pod,
    peer: End,
    dst: End,
    protocol: str,
    port: int,
    labels: Labels,
) -> tuple[str, str]:
    """The action of the first rule that matches, and which rule that is; empty where none does."""
    for policy in policies:
        if not selects(policy, end, labels):
            continue
        for number, rule in enumerate(side.rules(policy)):
            if any(_peer(p, peer, labels) for p in side.peers_of(rule)) and _protocol(
                rule.get("protocols") or [], dst, protocol, port
            ):
                where = f"{title(policy)} {side.part}[{number}]"
                return str(rule["action"]), where
    return "", ""


def of_policy(
    policy: Policy, side: Direction, end: Pod, peer: End, dst: End, labels: Labels
) -> Iterator[tuple[str, int]]:
    """The actions of a policy's rules that match, in order, each with its ports (a set as in ports.py)."""
    if selects(policy, end, labels):
        for rule in side.rules(policy):
            if any(_peer(p, peer, labels) for p in side.peers_of(rule)):
                yield str(rule["action"]), port_sets.of_tier(rule.get("protocols") or [], dst)


def _peer(peer: Mapping[str, Any], other: End, labels: Labels) -> bool:
    networks = peer.get("networks")
    if networks is not None:
        address = other.ip if isinstance(other, Pod) else other
        return bool(address) and any(
            ipaddress.ip_address(address) in ipaddress.ip_network(n, strict=False) for n in networks
        )
    return isinstance(other, Pod) and _subject(peer, other, labels)


def _protocol(entries: Sequence[Mapping[str, Any]], dst: End, protocol: str, port: int) -> bool:
    if not entries:
        return True
    for entry in entries:
        named = entry.get("destinationNamedPort")
        if named is not None:
            declared = dst.ports if isinstance(dst, Pod) else ()
            if any(d.name == named and d.port == port and d.protocol == protocol for d in declared):
                return True
            continue
        body = entry.get(protocol.lower())
        if body is None:
            continue
        wanted = body.get("destinationPort") or {}
        span = wanted.get("range") or {}
        if not wanted or wanted.get("number") == port or span.get("start", 1) <= port <= span.get("end", 0):
            return True
    return False
