"""Which of the connections that definitions ask for a set of policies cuts, name resolution included."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.policy.definitions.needed import Edge, Platform, Port
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.files.doubles import title
from orchestrator.policy.network.dns import SYSTEM, Resolution, ports_of, resolvers
from orchestrator.policy.network.ranges import Range, ranges, within
from orchestrator.policy.network.resolving import DNS, known_resolvers
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.workloads.citing import located
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.policy.workloads.peers import isolating, names_space

MOST_RULES = 3
NODE = "a node"


@dataclass(frozen=True)
class WouldCut:
    """A needed connection that is not allowed: its ports, where it is asked for, and what keeps it out."""

    src: str
    dst: str
    ports: frozenset[Port]
    origin: str
    because: tuple[str, ...]


def would_cut(
    whole: Fleet, edges: Sequence[Edge], platform: Platform, settled: Mapping[str, bool] | None = None
) -> list[WouldCut]:
    """What the policies of a fleet cut; where it depends on the CNI, and none is settled, it counts as open."""
    net = whole.network(settled)
    found = [*_connections(whole, net, edges), *_names(whole, net, platform)]
    return sorted(dict.fromkeys(found), key=lambda c: (c.dst, c.src, sorted(c.ports)))


def shut(whole: Fleet, edge: Edge, settled: Mapping[str, bool] | None = None) -> tuple[str, ...]:
    """The rules that keep any of a connection's ports out; empty where all are open."""
    found = _connections(whole, whole.network(settled), [edge])
    return tuple(dict.fromkeys(rule for cut in found for rule in cut.because))


def _connections(whole: Fleet, net: Network, edges: Sequence[Edge]) -> Iterator[WouldCut]:
    spans = ranges(whole)
    for edge in edges:
        shut = {port: because for port in edge.ports if (because := _against(whole, net, spans, edge, port))}
        if shut:
            rules = tuple(dict.fromkeys(rule for because in shut.values() for rule in because))
            src, dst = (e if isinstance(e, str) else e.name for e in (edge.src, edge.dst))
            yield WouldCut(src, dst, frozenset(shut), edge.origin, rules)


def _names(whole: Fleet, net: Network, platform: Platform) -> Iterator[WouldCut]:
    caches = [str(e) for r in known_resolvers(whole, platform)[0] for e in r.ends if isinstance(e, str)]
    cache = Pod(SYSTEM, "node-local-dns", {}, host_network=True)
    resolution = Resolution(whole, net)
    for workload in whole.workloads:
        pod = workload.pod
        selecting = isolating(whole, pod, EGRESS)
        if pod.host_network or not (selecting or net.isolated(pod, EGRESS)):
            continue
        asked = not caches or any(net.allowed(pod, address, "UDP", 53) for address in caches)
        if not asked and whole.of_cni:  # to which a cache on the nodes may be a node, and no address outside
            asked = net.decide(pod, cache, "UDP", 53).allowed is not False
        if not resolution.of(pod) or not asked:
            names = tuple(f"Egress: {_label(whole, p)}: no rule allows it" for p in selecting[:MOST_RULES])
            if whole.further:
                known = (w.pod for w in resolvers(whole) if w.pod is not pod)
                to = caches[0] if not asked else next(known)
                port = ports_of(to)[0] if isinstance(to, Pod) else 53
                names = _decided(whole, net, pod, to, ("UDP", port)) or names
            where = "every name that it calls"
            yield WouldCut(
                workload.name, "DNS" if not caches else f"DNS at {', '.join(caches)}", DNS, where, names
            )


def _against(whole: Fleet, net: Network, spans: Sequence[Range], edge: Edge, port: Port) -> tuple[str, ...]:
    """What keeps a connection out; empty where it is open, or where nobody can say. A range is asked in each of its parts, `spans`."""
    if isinstance(edge.src, str) and "/" in edge.src and _is_address(edge.src):
        ends = (replace(edge, src=str(part.first)) for part in within(spans, edge.src))
        return tuple(dict.fromkeys(rule for end in ends for rule in _against(whole, net, spans, end, port)))
    one, other = _seen(edge.src), _seen(edge.dst)
    if all(isinstance(e, Pod) or _is_address(e) for e in (one, other)):
        return _decided(whole, net, one, other, port)
    found: list[str] = []
    # Whether a CNI's rules mean an end of which so little is known nobody can say: `undecided` names those.
    for side in (EGRESS, INGRESS):
        end, peer = side.ends(one, other)
        if isinstance(end, Pod) and isinstance(peer, str) and not whole.of_cni:
            selecting = isolating(whole, end, side)
            if selecting and not any(_opens(whole, p, side, end, peer, port) for p in selecting):
                found += [f"{side}: {_label(whole, p)}: no rule allows it" for p in selecting[:MOST_RULES]]
    return tuple(found)


def undecided(whole: Fleet, edges: Sequence[Edge], settled: Mapping[str, bool] | None = None) -> list[str]:
    """The connections of which policies of a CNI decide, and whose other end is not known well enough to say how."""
    if not whole.of_cni:
        return []
    net = whole.network(settled)
    found: list[str] = []
    for edge in edges:
        one, other = _seen(edge.src), _seen(edge.dst)
        for side in (EGRESS, INGRESS):
            end, peer = side.ends(one, other)
            if (
                isinstance(end, Pod)
                and isinstance(peer, str)
                and not _is_address(peer)
                and net.isolated(end, side)
            ):
                src, dst = (e if isinstance(e, str) else e.name for e in (edge.src, edge.dst))
                found.append(
                    f"{src} to {dst}: policies of a CNI decide, and what {peer} is to them nobody can say here"
                )
    return list(dict.fromkeys(found))


def _seen(end: Workload | str) -> Pod | str:
    """An end as every known CNI sees it: what uses the host's network is its node, whose address may not be known."""
    if isinstance(end, str):
        return end
    return (end.pod.node_ip or NODE) if end.pod.host_network else end.pod


def _decided(whole: Fleet, net: Network, src: Pod | str, dst: Pod | str, port: Port) -> tuple[str, ...]:
    decision = net.decide(src, dst, *port)
    if decision.allowed is not False:
        return ()
    shut = [w for w in decision.why if not w.allowed]
    return tuple(f"{w.side}: {located(whole, r)}" for w in shut for r in w.rules[:MOST_RULES]) or (
        "a policy",
    )


def _opens(whole: Fleet, policy: Mapping[str, Any], side: Direction, pod: Pod, peer: str, port: Port) -> bool:
    """Whether a rule may mean an end that is not known here: any address outside, or some pod of a namespace."""
    for rule in side.rules(policy):
        open_ports = ports.of_rule(rule.get("ports") or [], pod if side is INGRESS else "")
        given = side.peers_of(rule)
        if ports.contains(open_ports, *port) and (not given or any(_means(whole, p, peer) for p in given)):
            return True
    return False


def _means(whole: Fleet, peer: Mapping[str, Any], end: str) -> bool:
    if not end.startswith("namespace "):
        return "ipBlock" in peer
    return names_space(whole, peer, end.removeprefix("namespace "))


def _is_address(end: str) -> bool:
    return ":" in end or end[:1].isdigit()


def _label(whole: Fleet, policy: Mapping[str, Any]) -> str:
    return located(whole, title(policy))
