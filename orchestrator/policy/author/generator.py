"""Default-deny and targeted exceptions per workload, made from service definitions and recorded flows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.policy.author.named_ends import AdminEnds, CiliumEnds, NamedEnds, wanted
from orchestrator.policy.definitions.needed import API_SERVER, Edge, Platform, Port
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.lint.linter import IGNORE
from orchestrator.policy.network.dns import SYSTEM
from orchestrator.policy.network.recordings import Ends, Flow
from orchestrator.policy.network.resolving import DNS, known_resolvers, under_cilium
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.schemas.tier_schema import HIGHEST as LAST_PRIORITY
from orchestrator.policy.translate.made import text_of
from orchestrator.policy.translate.statements import (
    OF_KUBERNETES,
    Entity,
    Peer,
    Pods,
    Said,
    Span,
    Statement,
)
from orchestrator.policy.translate.translation import write_as
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.wording import few

DENIED = (
    "Nothing is allowed but what other policies allow. A node reaches its own pods all the same, so that the kubelet's probes "
    "go on (not with Cilium's allow-localhost: policy)."
)
BASELINE = (
    "What no other policy allows is denied among pods, and from pods to any address; where a NetworkPolicy selects a pod, that decides "
    "instead."
)
ADMIN = "anp"
DNS_NAME = "allow-dns"
ENDS: Mapping[str, type[NamedEnds]] = {"cilium": CiliumEnds, ADMIN: AdminEnds}  # else by addresses


@dataclass(frozen=True)
class File:
    """A manifest with comments, by its path in the layout that a source takes: a folder a namespace, none for the whole cluster."""

    path: str
    text: str


def from_flows(fleet: Fleet, flows: Sequence[Flow]) -> Iterator[Edge]:
    """Recorded connections as edges; those with an end that is not known here are left out, DNS is always open."""
    ends = Ends(fleet)
    workloads = {id(w.pod): w for w in fleet.workloads}
    for flow in flows:
        src, dst = ends.find(flow.src), ends.find(flow.dst)
        if src is None or dst is None or src == dst or (isinstance(src, str) and isinstance(dst, str)):
            continue
        if flow.port == 53 and isinstance(src, Pod):
            continue
        one, other = (workloads[id(e)] if isinstance(e, Pod) else e for e in (src, dst))
        yield Edge(one, other, frozenset({(flow.protocol, flow.port)}), f"recorded {flow.count} times")


def generate(
    fleet: Fleet,
    edges: Sequence[Edge],
    platform: Platform | None = None,
    kind: str = "networkpolicy",
    only: Sequence[str] = (),
) -> list[File]:
    """Policies of an API under which these edges are open between the workloads, and nothing else but DNS.

    `only` names the namespaces that are closed, all where it is empty. `kind` is one of TARGETS. AdminNetworkPolicies close nothing to what is outside the cluster or on a node.
    """
    by = _ends(fleet, platform, kind)
    found: list[_Asked] = []
    spaces = []
    for space in sorted({w.pod.namespace for w in fleet.workloads if not w.pod.host_network}):
        if space.startswith("kube-") or (only and space not in only):
            continue
        spaces.append(space)
        found += [*([] if kind == ADMIN else [_deny(by, space)]), _dns(by, space)]
        seen: dict[str, Workload] = {}
        for workload in fleet.workloads:
            if workload.pod.namespace == space and not workload.pod.host_network and by.labels(workload):
                seen.setdefault(_file_name(workload, fleet), workload)
        for name, workload in sorted(seen.items()):
            made = _exceptions(by, name, workload, edges)
            found += [made] if made else []
    files = [file for number, asked in enumerate(found) for file in _files(asked, kind, number)]
    return [*files, *([_baseline(spaces)] if kind == ADMIN and spaces else [])]


def problems(
    fleet: Fleet, edges: Sequence[Edge], platform: Platform | None = None, kind: str = "networkpolicy"
) -> list[str]:
    """What the policies cannot say: pods without labels, hostNetwork, nothing but the outside's whole."""
    by = _ends(fleet, platform, kind)
    found = [*known_resolvers(fleet, by.platform)[1], *under_cilium(fleet)] if by.by_address else []
    found += _of_api_server(by, edges)
    if kind == ADMIN:
        found.append(
            "what comes from outside the cluster, or from a node, stays allowed: no policy of the whole cluster names that at ingress"
        )
    for workload in fleet.workloads:
        mine = [e for e in edges if workload.name in (_name(e.src), _name(e.dst))]
        if mine and workload.pod.host_network:
            found += _of_host(by, workload, mine)
        elif mine and not by.labels(workload):
            found.append(f"{workload.name} has no labels that last: nothing but default-deny selects it")
        elif mine and len(by.twins(workload)) > 1:
            found.append(
                f"{workload.name} shares its labels with other workloads: they get the same exceptions"
            )
    return list(dict.fromkeys(found))


def _ends(fleet: Fleet, platform: Platform | None, kind: str) -> NamedEnds:
    return ENDS.get(kind, NamedEnds)(fleet, platform or Platform())


def _name(end: Workload | str) -> str:
    return end if isinstance(end, str) else end.name


def _of_host(by: NamedEnds, workload: Workload, edges: Sequence[Edge]) -> Iterator[str]:
    yield f"{workload.name} uses the host's network: policies do not select it"
    if not by.by_address:
        return
    others: dict[str, set[Port]] = {}
    for edge in edges:
        other = edge.dst if _name(edge.src) == workload.name else edge.src
        if (
            isinstance(other, Workload)
            and not other.pod.host_network
            and not other.pod.namespace.startswith("kube-")
        ):
            others.setdefault(other.name, set()).update(edge.ports)
    for name, ports in sorted(others.items()):
        told = ", ".join(f"{protocol} {number}" for protocol, number in sorted(ports))
        if by.nodes:
            yield (
                f"{name} and {workload.name}, {told}: opened for the nodes' addresses that are known here, "
                f"{few(by.nodes, 4)}, since policies see a hostNetwork pod as its node; Cilium needs policyCIDRMatchMode: nodes "
                "for that"
            )
        else:
            yield (
                f"{name} and {workload.name}, {told}: NOT opened, since policies see a hostNetwork pod as its node, and no "
                "node's address is known here; give --nodes RANGE"
            )


def _of_api_server(by: NamedEnds, edges: Sequence[Edge]) -> Iterator[str]:
    for src, word in (
        (True, "open to every address, since the API server calls them"),
        (False, "may call every address on the API server's ports"),
    ):
        names = {_name(e.dst if src else e.src) for e in edges if (e.src if src else e.dst) == API_SERVER}
        names = {n for n in names if not n.startswith("kube-")}
        if names and by.peers("", (), API_SERVER, INGRESS if src else EGRESS) == []:
            yield f"{word}: {few(sorted(names), 4)}; --api-server RANGE narrows that"


def _file_name(workload: Workload, fleet: Fleet) -> str:
    twins = {
        w.kind
        for w in fleet.workloads
        if (w.pod.namespace, w.pod.name) == (workload.pod.namespace, workload.pod.name)
    }
    return workload.pod.name if len(twins) == 1 else f"{workload.pod.name}-{workload.kind.lower()}"


@dataclass(frozen=True)
class _Asked:
    """One policy before it is said in the words of an API."""

    space: str
    name: str
    subject: Pods
    rules: Mapping[Direction, tuple[Said, ...]]
    closes: tuple[Direction, ...]
    title: str
    ignored: Mapping[str, str] = field(default_factory=dict)


def _deny(by: NamedEnds, space: str) -> _Asked:
    return _Asked(space, "default-deny", by.of_space(space), {}, tuple(Direction), DENIED)


def _dns(by: NamedEnds, space: str) -> _Asked:
    rules = []
    for resolver in known_resolvers(by.fleet, by.platform)[0]:
        peers = [p for end in resolver.ends for p in by.peers(space, (), end, EGRESS) or []]
        peers = by.at_nodes(peers) if resolver.on_nodes else peers
        rules.append(_rule(peers, resolver.ports, [resolver.origin]))
    if not rules:
        usual = Pods(wanted({"k8s-app": "kube-dns"}), wanted({NAME_LABEL: SYSTEM}))
        rules = [_rule([usual], DNS, ["The cluster's resolver, by its usual labels."])]
    text = "Names can be resolved, over UDP and TCP."
    return _Asked(space, DNS_NAME, by.of_space(space), {EGRESS: tuple(rules)}, (EGRESS,), text)


def _exceptions(by: NamedEnds, name: str, workload: Workload, edges: Sequence[Edge]) -> _Asked | None:
    ignored: dict[str, str] = {}
    found: dict[Direction, tuple[Said, ...]] = {}
    for side in Direction:
        mine, other = side.ends("src", "dst")
        grouped: dict[tuple[str, frozenset[Port], str], list[Edge]] = {}
        for edge in edges:
            if _name(getattr(edge, mine)) == workload.name:
                host = edge.host if by.by_host else ""
                grouped.setdefault((_name(getattr(edge, other)), edge.ports, host), []).append(edge)
        rules = []
        for (_, ports, _), some in sorted(
            grouped.items(), key=lambda item: (item[0][0], sorted(item[0][1]), item[0][2])
        ):
            end = getattr(some[0], other)
            peers = by.peers(workload.pod.namespace, some, end, side)
            if peers is None:
                continue
            told = list(dict.fromkeys(e.origin for e in some))
            if isinstance(end, Workload) and end.pod.host_network:
                told.append(f"{end.name} uses its node's network: these are {by.nodes_said}")
            rules.append(_rule(peers, ports, told))
            if side is INGRESS and (end == "internet" or not peers):
                ignored["NPC003"] = some[0].origin
            if isinstance(end, str) and end.startswith("namespace ") and end[10:] not in by.fleet.namespaces:
                ignored["NPC002"] = f"{end} is not among these manifests"
        if rules:
            found[side] = tuple(rules)
    if not found:
        return None
    title = f"What {workload.name} needs."
    return _Asked(workload.pod.namespace, name, by.subject(workload), found, tuple(found), title, ignored)


def _rule(peers: Sequence[Peer], ports: Iterable[Port], comments: Sequence[str]) -> Said:
    spans = tuple(("", Span(protocol, port, port)) for protocol, port in sorted(ports))
    return Said("", "Allow", tuple(("", peer) for peer in peers) or None, spans or None, tuple(comments))


def _files(asked: _Asked, kind: str, number: int) -> Iterator[File]:
    """The policy in the words of an API; `number` is a priority of its own, where the API wants one."""
    wide = kind == ADMIN
    meta: dict[str, Any] = (
        {"name": f"{asked.space}-{asked.name}"} if wide else {"name": asked.name, "namespace": asked.space}
    )
    if asked.ignored and kind == "networkpolicy":
        reasons = (f"{rule}: {reason.replace(';', ',')}" for rule, reason in sorted(asked.ignored.items()))
        meta["annotations"] = {IGNORE: "; ".join(reasons)}
    closes = {} if wide else dict.fromkeys(asked.closes, "")
    tier: Literal["", "Admin"] = "Admin" if wide else ""
    document = Document({"metadata": meta}, "", 1)
    order = min(number, LAST_PRIORITY) if wide else OF_KUBERNETES
    statement = Statement(document, asked.subject, "", asked.rules, closes, tier, order)
    for made in write_as(kind)([statement], _cannot, _cannot):
        folder = "" if wide else f"{asked.space}/"
        if asked.name == DNS_NAME and kind == "cilium":
            _learn_names(made.obj)
        yield File(f"{folder}{meta['name']}.yaml", text_of(made.obj, made.comments, asked.title))


def _baseline(spaces: Sequence[str]) -> File:
    """Default-deny for all namespaces at once, since there is one baseline alone."""
    inside, outside = ("", Pods((), ())), ("", Entity("world"))
    rules = {
        INGRESS: (Said("", "Deny", (inside,), None),),
        EGRESS: (Said("", "Deny", (inside, outside), None),),
    }
    subject = Pods((), ((NAME_LABEL, "In", frozenset(spaces)),))
    document = Document({"metadata": {"name": "default"}}, "", 1)
    (made,) = write_as(ADMIN)([Statement(document, subject, "", rules, {}, "Baseline")], _cannot, _cannot)
    return File("default.yaml", text_of(made.obj, {}, BASELINE))


def _learn_names(policy: dict[str, Any]) -> None:
    """Lets Cilium's proxy read the answers of DNS: without that it knows no address of a host that a rule names."""
    for rule in policy["spec"][EGRESS.part]:
        for entry in rule["toPorts"]:
            entry["rules"] = {"dns": [{"matchPattern": "*"}]}


def _cannot(field: str, why: str) -> None:
    raise AssertionError(f"{field}: {why}")
