"""Which connections the policies allow. Source: NetworkPolicy API, networking.k8s.io/v1; tiers.py for the rest.

New connections only. What the API leaves to the implementation is a Reading; `decide` tells where the
answer depends on it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from orchestrator.policy.evaluate import tiers
from orchestrator.policy.evaluate.cni_profiles import SAID, Reading, readings
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction, directions
from orchestrator.policy.objects.pod import End, NamedPort, Pod, families, one_pod
from orchestrator.policy.objects.selector import matches

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
    ) -> None:
        self._namespaces = namespaces
        self._settled = dict(settled or {})
        self._plain = Reading(**self._settled)
        self._policies: dict[str, list[dict[str, Any]]] = {}
        for policy in policies:
            self._policies.setdefault(policy["metadata"]["namespace"], []).append(policy)
        self._blocks = any(_has_block(p) for p in policies)
        self._tiers = {
            (tier, turned): tiers.ordered(cluster, tier, turned)
            for tier in ("Admin", "Baseline")
            for turned in (False, True)
        }
        self._cluster = bool(cluster)

    def isolated(self, pod: Pod, side: Direction) -> bool:
        """Whether any NetworkPolicy selects the pod for `Ingress` or `Egress`."""
        return bool(self._selecting(pod, side))

    def allowed(self, src: End, dst: End, protocol: str, port: int) -> bool:
        """Both ends must allow; under the plain reading, or what the profile settles."""
        return any(self._allowed(*ends, protocol, port, self._plain) for ends in families(src, dst))

    def decide(self, src: End, dst: End, protocol: str, port: int) -> Decision:
        """The answer under every reading that is open, with the rules that decide it."""
        found = readings(self._settled, self._open(src, dst))
        pairs = list(families(src, dst))
        answers = {r: any(self._allowed(*ends, protocol, port, r) for ends in pairs) for r in found}
        shown = next((p for p in pairs if self._allowed(*p, protocol, port, found[0])), pairs[0])
        why = tuple(self._why(*shown, protocol, port, found[0]))
        if len(set(answers.values())) == 1:
            return Decision(answers[found[0]], (), why)
        depends = [q for q in SAID if _matters(q, answers)]
        return Decision(None, tuple(SAID[q] for q in depends), why)

    def over_ports(self, src: End, dst: End, asked: int) -> int:
        """Those of a set of ports (see ports.py) on which the connection is allowed, under the plain reading."""
        found = 0
        for one, other in families(src, dst):
            found |= self._over_ports(one, other, asked)
        return found

    def _over_ports(self, src: End, dst: End, asked: int) -> int:
        reading = self._plain
        one, other = _seen(src, reading), _seen(dst, reading)
        own = one_pod(src, dst)
        if (own and (reading.self_exempt or not self._cluster)) or _own_node(one, other):
            return asked
        for side, end, peer in ((EGRESS, one, other), (INGRESS, other, one)):
            if isinstance(end, Pod) and asked:
                asked &= self._side_ports(side, end, peer, other, reading, own)
        return asked

    def passing(self, side: Direction, src: Pod, dst: Pod) -> int:
        """The ports that one end alone lets pass, whatever the other does; of two different pods."""
        found = 0
        for ends in families(src, dst):
            one, other = (_seen(e, self._plain) for e in ends)
            end, peer = side.ends(one, other)
            if not isinstance(end, Pod) or _own_node(one, other):
                return ports.ALL
            found |= self._side_ports(side, end, peer, other, self._plain, False)
        return found

    def _side_ports(self, side: Direction, end: Pod, peer: End, dst: End, reading: Reading, own: bool) -> int:
        """The ports that one end lets pass: Admin, then NetworkPolicy, then Baseline."""
        allowed, rest = self._tier_ports("Admin", side, end, peer, dst, reading, ports.ALL)
        selecting = self._selecting(end, side)
        if selecting:
            passing = ports.ALL if own else self._rule_ports(selecting, side, peer, dst, reading)
            return allowed | (rest & passing)
        if not reading.baseline_per_direction and self._selecting(end, side.other):
            return allowed | rest
        more, rest = self._tier_ports("Baseline", side, end, peer, dst, reading, rest)
        return allowed | more | rest

    def _tier_ports(
        self, tier: str, side: Direction, end: Pod, peer: End, dst: End, reading: Reading, rest: int
    ) -> tuple[int, int]:
        """What a tier accepts of `rest`, and what it leaves to the next one."""
        accepted = passed = 0
        for policy in self._tiers[tier, reading.ties_reversed] if self._cluster else ():
            for action, mask in tiers.of_policy(policy, side, end, peer, dst, self._namespaces):
                accepted |= mask & rest if action == "Accept" else 0
                passed |= mask & rest if action == "Pass" else 0
                rest &= ~mask
        return accepted, rest | passed

    def _rule_ports(
        self, selecting: Sequence[dict[str, Any]], side: Direction, peer: End, dst: End, reading: Reading
    ) -> int:
        found = 0
        for policy in selecting:
            for rule in side.rules(policy):
                given, space = side.peers_of(rule), policy["metadata"]["namespace"]
                if not given or any(self._matches(p, space, peer, reading) for p in given):
                    found |= ports.of_rule(rule.get("ports") or [], dst)
        return found

    def _open(self, src: End, dst: End) -> set[str]:
        """The questions that can bear on these two ends."""
        pods = [e for e in (src, dst) if isinstance(e, Pod)]
        found = set()
        if len(pods) == 2 and self._blocks:
            found.add("block_covers_pods")
        if any(p.host_network for p in pods):
            found |= {"host_as_node", "node_address_hidden"}
        if self._cluster:
            found |= {"baseline_per_direction", "ties_reversed"}
            if one_pod(src, dst):
                found.add("self_exempt")
        return found

    def _allowed(self, src: End, dst: End, protocol: str, port: int, reading: Reading) -> bool:
        if one_pod(src, dst) and (reading.self_exempt or not self._cluster):
            return True
        if _own_node(_seen(src, reading), _seen(dst, reading)):
            return True
        return all(why.allowed for why in self._why(src, dst, protocol, port, reading))

    def _why(self, src: End, dst: End, protocol: str, port: int, reading: Reading) -> Iterator[Why]:
        seen = (_seen(src, reading), _seen(dst, reading))
        own = one_pod(src, dst)
        for side, end, peer in ((EGRESS, seen[0], seen[1]), (INGRESS, seen[1], seen[0])):
            if isinstance(end, Pod):
                yield self._side(side, end, peer, seen[1], protocol, port, reading, own)

    def _side(
        self,
        side: Direction,
        end: Pod,
        peer: End,
        dst: End,
        protocol: str,
        port: int,
        reading: Reading,
        own: bool,
    ) -> Why:
        """Admin, then NetworkPolicy, then Baseline; a pod to itself passes every NetworkPolicy."""
        asked = (side, end, peer, dst, protocol, port, self._namespaces)
        said, where = tiers.action(self._tiers["Admin", reading.ties_reversed], *asked)
        if said in ("Accept", "Deny"):
            return Why(side, said == "Accept", (f"{where}: {said}",))
        passed = (f"{where}: Pass",) if said else ()
        selecting = self._selecting(end, side)
        if selecting:
            rules = list(self._matching(selecting, side, peer, dst, protocol, port, reading))
            names = tuple(r for r, _ in rules) or tuple(f"{title(p)}: no rule allows it" for p in selecting)
            fields = tuple("" for _ in passed) + tuple(deep for _, deep in rules)
            return Why(side, own or bool(rules), passed + names, fields)
        if not reading.baseline_per_direction and self._selecting(end, side.other):
            return Why(side, True, (*passed, "a NetworkPolicy selects the pod: no Baseline"))
        said, where = tiers.action(self._tiers["Baseline", reading.ties_reversed], *asked)
        if said:
            return Why(side, said != "Deny", (*passed, f"{where}: {said}"))
        return Why(side, True, (*passed, f"no policy isolates {end.namespace}/{end.name} for {side}"))

    def _selecting(self, pod: Pod, side: Direction) -> list[dict[str, Any]]:
        return [
            p
            for p in self._policies.get(pod.namespace, [])
            if side in directions(p) and matches(p["spec"].get("podSelector") or {}, pod.labels)
        ]

    def _matching(
        self,
        selecting: Sequence[dict[str, Any]],
        side: Direction,
        peer: End,
        dst: End,
        protocol: str,
        port: int,
        reading: Reading,
    ) -> Iterator[tuple[str, str]]:
        part, peers = side.part, side.peers
        for policy in selecting:
            for number, rule in enumerate(side.rules(policy)):
                given, open_ports, space = (
                    side.peers_of(rule),
                    rule.get("ports") or [],
                    policy["metadata"]["namespace"],
                )
                met = (n for n, p in enumerate(given) if self._matches(p, space, peer, reading))
                at = next(met, None) if given else 0
                if at is None or (way := _port(open_ports, dst, protocol, port)) is None:
                    continue
                one = f"{peers}[{at}]" if len(given) > 1 else f"ports[{way}]" if len(open_ports) > 1 else ""
                yield f"{title(policy)} {part}[{number}]", f"{part}[{number}].{one}" if one else ""

    def _matches(self, peer: Mapping[str, Any], namespace: str, other: End, reading: Reading) -> bool:
        block = peer.get("ipBlock")
        if block is not None:
            if isinstance(other, Pod):
                return reading.block_covers_pods and bool(other.ip) and _inside(block, other.ip)
            return bool(other) and _inside(block, other)
        if not isinstance(other, Pod):
            return False
        spaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
        if spaces is None:
            if other.namespace != namespace:
                return False
        elif not matches(spaces, self._namespaces.get(other.namespace, {})):
            return False
        return pods is None or matches(pods, other.labels)


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


def _has_block(policy: Mapping[str, Any]) -> bool:
    return any(
        "ipBlock" in peer for side in Direction for rule in side.rules(policy) for peer in side.peers_of(rule)
    )


_address = lru_cache(32_768)(ipaddress.ip_address)


@lru_cache(32_768)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)


def _inside(block: Mapping[str, Any], address: str) -> bool:
    ip = _address(address)
    if ip not in _network(block["cidr"]):
        return False
    return not any(ip in _network(e) for e in block.get("except") or [])


def _port(ports: Sequence[Mapping[str, Any]], dst: End, protocol: str, port: int) -> int | None:
    """Which of a rule's ports it is, the first one where the rule has none; None where it is none of them."""
    if not ports:
        return 0
    for number, entry in enumerate(ports):
        if entry.get("protocol", "TCP") != protocol:
            continue
        wanted = entry.get("port")
        if wanted is None:
            return number
        if isinstance(wanted, str):
            declared = dst.ports if isinstance(dst, Pod) else ()
            if any(d.name == wanted and d.port == port and d.protocol == protocol for d in declared):
                return number
        elif wanted <= port <= entry.get("endPort", wanted):
            return number
    return None
