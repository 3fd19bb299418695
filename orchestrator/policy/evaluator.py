"""Which connections NetworkPolicies allow. Source: NetworkPolicy API, networking.k8s.io/v1.

New connections only. An ipBlock is read as addresses outside the cluster: whether it covers pod
addresses is the CNI's affair.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.policy.order import directions
from orchestrator.policy.selector import matches


@dataclass(frozen=True)
class NamedPort:
    """A declared container port."""

    name: str
    port: int
    protocol: str = "TCP"


@dataclass(frozen=True)
class Pod:
    """What policies see of a pod."""

    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ip: str = ""
    ports: tuple[NamedPort, ...] = ()


End = Pod | str


class Network:
    """Namespaces (name to labels) and the NetworkPolicies that stand in them."""

    def __init__(
        self, namespaces: Mapping[str, Mapping[str, str]], policies: Sequence[dict[str, Any]]
    ) -> None:
        self._namespaces = namespaces
        self._policies: dict[str, list[dict[str, Any]]] = {}
        for policy in policies:
            self._policies.setdefault(policy["metadata"]["namespace"], []).append(policy)

    def _selecting(self, pod: Pod, side: str) -> list[dict[str, Any]]:
        return [
            p
            for p in self._policies.get(pod.namespace, [])
            if side in directions(p) and matches(p["spec"].get("podSelector") or {}, pod.labels)
        ]

    def isolated(self, pod: Pod, side: str) -> bool:
        """Whether any policy selects the pod for `Ingress` or `Egress`."""
        return bool(self._selecting(pod, side))

    def allowed(self, src: End, dst: End, protocol: str, port: int) -> bool:
        """Both ends must allow; a str is an address outside the cluster; a pod always reaches itself."""
        if (
            isinstance(src, Pod)
            and isinstance(dst, Pod)
            and (src.namespace, src.name) == (dst.namespace, dst.name)
        ):
            return True
        return self.side_allows("Egress", src, dst, dst, protocol, port) and self.side_allows(
            "Ingress", dst, src, dst, protocol, port
        )

    def side_allows(self, side: str, end: End, peer: End, dst: End, protocol: str, port: int) -> bool:
        """Whether one end's policies for one direction let the connection pass."""
        if not isinstance(end, Pod):
            return True
        selecting = self._selecting(end, side)
        if not selecting:
            return True
        part, peers = ("egress", "to") if side == "Egress" else ("ingress", "from")
        return any(
            self._peer(rule.get(peers) or [], policy["metadata"]["namespace"], peer)
            and _port(rule.get("ports") or [], dst, protocol, port)
            for policy in selecting
            for rule in policy["spec"].get(part) or []
        )

    def _peer(self, peers: Sequence[Mapping[str, Any]], namespace: str, other: End) -> bool:
        return not peers or any(self._matches(p, namespace, other) for p in peers)

    def _matches(self, peer: Mapping[str, Any], namespace: str, other: End) -> bool:
        block = peer.get("ipBlock")
        if block is not None:
            return isinstance(other, str) and _inside(block, other)
        if not isinstance(other, Pod):
            return False
        spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
        if spaces is None:
            if other.namespace != namespace:
                return False
        elif not matches(spaces, self._namespaces.get(other.namespace, {})):
            return False
        return pods is None or matches(pods, other.labels)


def _inside(block: Mapping[str, Any], address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if ip not in ipaddress.ip_network(block["cidr"], strict=False):
        return False
    return not any(ip in ipaddress.ip_network(e, strict=False) for e in block.get("except") or [])


def _port(ports: Sequence[Mapping[str, Any]], dst: End, protocol: str, port: int) -> bool:
    if not ports:
        return True
    for entry in ports:
        if entry.get("protocol", "TCP") != protocol:
            continue
        wanted = entry.get("port")
        if wanted is None:
            return True
        if isinstance(wanted, str):
            declared = dst.ports if isinstance(dst, Pod) else ()
            if any(d.name == wanted and d.port == port and d.protocol == protocol for d in declared):
                return True
        elif wanted <= port <= entry.get("endPort", wanted):
            return True
    return False
