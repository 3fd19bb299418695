"""ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2: tiers, priorities, Accept, Deny and Pass.

Source: the API's own text. `networks` cover traffic inside the cluster as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from orchestrator.policy.evaluate.meaning import inside
from orchestrator.policy.evaluate.ruling import Cited, Ruling
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


def rulings(
    policy: Policy, side: Direction, end: Pod, peer: End, dst: End, labels: Labels
) -> Iterator[Ruling]:
    """What a policy's rules that match say, in order."""
    if not selects(policy, end, labels):
        return
    for number, rule in enumerate(side.rules(policy)):
        if any(_peer(p, peer, labels) for p in side.peers_of(rule)):
            action, mask = str(rule["action"]), port_sets.of_tier(rule.get("protocols") or (), dst)
            yield Ruling(action, mask, partial(_cited, policy, f"{side.part}[{number}]: {action}"))


def _cited(policy: Policy, said: str, _: int) -> list[Cited]:
    return [(f"{title(policy)} {said}", "")]


def _peer(peer: Mapping[str, Any], other: End, labels: Labels) -> bool:
    networks = peer.get("networks")
    if networks is not None:
        address = other.ip if isinstance(other, Pod) else other
        return bool(address) and any(inside({"cidr": n}, address) for n in networks)
    return isinstance(other, Pod) and _subject(peer, other, labels)
