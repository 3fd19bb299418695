"""What the words of a NetworkPolicy mean: whom it isolates, whom a peer means. Source: NetworkPolicy API, v1."""

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import network
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import matches

Part = Mapping[str, Any]
Pods = TypeVar("Pods", bool, int)

_address = lru_cache(32_768)(ipaddress.ip_address)


def inside(block: Part, address: str) -> bool:
    """Whether an address is in an ipBlock."""
    ip = _address(address)
    return ip in network(block["cidr"]) and not any(ip in network(e) for e in block.get("except") or ())


def isolates(policy: Part, pod: Pod, side: Direction) -> bool:
    """Whether a policy of the pod's namespace selects it for a direction."""
    return side.in_force(policy) and matches(policy["spec"].get("podSelector") or {}, pod.labels)


def means(peer: Part, own: Pods, spaces: Callable[[Part], Pods], pods: Callable[[Part], Pods]) -> Pods:
    """The pods that the selectors of a peer mean: whether one, or as bits which of several.

    `own` are those of the policy's namespace; `spaces` and `pods` say which a selector matches by the labels of their
    namespace, and by their own.
    """
    found = own if (selector := peer.get("namespaceSelector")) is None else spaces(selector)
    if found and (selector := peer.get("podSelector")) is not None:
        found &= pods(selector)
    return found


def means_pod(peer: Part, own: str, pod: Pod, namespaces: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether the selectors of a peer mean a pod; `own` is the policy's namespace, `namespaces` have their labels."""
    return means(
        peer,
        pod.namespace == own,
        lambda selector: matches(selector, namespaces.get(pod.namespace, {})),
        lambda selector: matches(selector, pod.labels),
    )
