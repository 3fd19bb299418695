"""Default-deny and targeted exceptions per workload, made from service definitions and recorded flows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.policy.dns import SYSTEM, resolvers
from orchestrator.policy.fleet import Fleet, Workload
from orchestrator.policy.flows import Ends, Flow
from orchestrator.policy.lint import IGNORE
from orchestrator.policy.pod import Pod
from orchestrator.policy.services import Edge, Port

NAMESPACE = "kubernetes.io/metadata.name"
PRIVATE = {
    "0.0.0.0/0": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "::/0": ("fc00::/7", "fe80::/10"),
}
DNS = {("UDP", 53), ("TCP", 53)}
# Labels that differ from pod to pod, or from release to release.
PASSING = (
    "app.kubernetes.io/version",
    "helm.sh/chart",
    "pod-template-hash",
    "controller-revision-hash",
    "statefulset.kubernetes.io/pod-name",
    "pod-template-generation",
)
SIDES = (("ingress", "from"), ("egress", "to"))


@dataclass(frozen=True)
class File:
    """A manifest with comments, by its path in the layout that a source takes: one folder a namespace."""

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


def generate(fleet: Fleet, edges: Sequence[Edge]) -> list[File]:
    """Policies under which these edges are open between the workloads, and nothing else but DNS."""
    found = []
    for space in sorted({w.pod.namespace for w in fleet.workloads}):
        if space.startswith("kube-"):
            continue
        found += [_deny(space), _dns(fleet, space)]
        seen: dict[str, Workload] = {}
        for workload in fleet.workloads:
            if workload.pod.namespace == space and not workload.pod.host_network and _labels(workload.pod):
                seen.setdefault(_file_name(workload, fleet), workload)
        for name, workload in sorted(seen.items()):
            made = _exceptions(fleet, name, workload, edges)
            found += [made] if made else []
    return found


def problems(fleet: Fleet, edges: Sequence[Edge]) -> list[str]:
    """What the policies cannot say: pods without labels, hostNetwork, nothing but the outside's whole."""
    found = []
    for workload in fleet.workloads:
        mine = any(workload in (e.src, e.dst) for e in edges)
        if mine and workload.pod.host_network:
            found.append(f"{workload.name} uses the host's network: policies do not select it")
        elif mine and not _labels(workload.pod):
            found.append(f"{workload.name} has no labels: nothing but default-deny selects it")
        twins = [w for w in fleet.within(workload.pod.namespace) if _labels(w) == _labels(workload.pod)]
        if mine and len({p.name for p in twins}) > 1:
            found.append(
                f"{workload.name} shares its labels with other workloads: they get the same exceptions"
            )
    return list(dict.fromkeys(found))


def _labels(pod: Pod) -> dict[str, str]:
    return {k: v for k, v in pod.labels.items() if k not in PASSING}


def _file_name(workload: Workload, fleet: Fleet) -> str:
    twins = {
        w.kind
        for w in fleet.workloads
        if (w.pod.namespace, w.pod.name) == (workload.pod.namespace, workload.pod.name)
    }
    return workload.pod.name if len(twins) == 1 else f"{workload.pod.name}-{workload.kind.lower()}"


def _deny(space: str) -> File:
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return _file(space, "default-deny", spec, {}, {}, "Nothing is allowed but what other policies allow.")


def _dns(fleet: Fleet, space: str) -> File:
    known = [w.pod for w in resolvers(fleet)]
    rules = [
        _rule(
            "egress", [_peer(space, p)], {*DNS, *((q.protocol, q.port) for q in p.ports if "dns" in q.name)}
        )
        for p in known
    ]
    label = {"namespaceSelector": _named(SYSTEM), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    comments = [f"The resolver {p.namespace}/{p.name}." for p in known]
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules or [_rule("egress", [label], DNS)]}
    told = {
        ("egress", n): [text]
        for n, text in enumerate(comments or ["The cluster's resolver, by its usual labels."])
    }
    return _file(space, "allow-dns", spec, told, {}, "Names can be resolved, over UDP and TCP.")


def _exceptions(fleet: Fleet, name: str, workload: Workload, edges: Sequence[Edge]) -> File | None:
    spec: dict[str, Any] = {"podSelector": {"matchLabels": _labels(workload.pod)}, "policyTypes": []}
    comments: dict[tuple[str, int], list[str]] = {}
    ignored: dict[str, str] = {}
    for part, mine, other in (("ingress", "dst", "src"), ("egress", "src", "dst")):
        grouped: dict[tuple[str, frozenset[Port]], list[Edge]] = {}
        for edge in edges:
            if getattr(edge, mine) == workload:
                end = getattr(edge, other)
                key = end if isinstance(end, str) else end.name
                grouped.setdefault((key, edge.ports), []).append(edge)
        rules: list[dict[str, Any]] = []
        for (_, ports), some in sorted(grouped.items(), key=lambda item: (item[0][0], sorted(item[0][1]))):
            end = getattr(some[0], other)
            comments[part, len(rules)] = list(dict.fromkeys(e.origin for e in some))
            rules.append(_rule(part, _peers(workload.pod.namespace, end, part), ports))
            if end == "internet" and part == "ingress":
                ignored["NPC003"] = some[0].origin
            if isinstance(end, str) and end.startswith("namespace ") and end[10:] not in fleet.namespaces:
                ignored["NPC002"] = f"{end} is not among these manifests"
        if rules:
            spec["policyTypes"].append(part.capitalize())
            spec[part] = rules
    if not spec["policyTypes"]:
        return None
    return _file(workload.pod.namespace, name, spec, comments, ignored, f"What {workload.name} needs.")


def _peers(space: str, end: Workload | str, part: str) -> list[dict[str, Any]]:
    if isinstance(end, Workload):
        return [_peer(space, end.pod)]
    if end.startswith("namespace "):
        return [{"namespaceSelector": _named(end[10:])}]
    if end == "internet":
        out = part == "egress"
        return [
            {"ipBlock": {"cidr": whole, **({"except": list(own)} if out else {})}}
            for whole, own in PRIVATE.items()
        ]
    return [{"ipBlock": {"cidr": str(ipaddress.ip_network(end))}}]


def _peer(space: str, pod: Pod) -> dict[str, Any]:
    found: dict[str, Any] = {} if pod.namespace == space else {"namespaceSelector": _named(pod.namespace)}
    return {**found, "podSelector": {"matchLabels": _labels(pod)} if _labels(pod) else {}}


def _named(space: str) -> dict[str, Any]:
    return {"matchLabels": {NAMESPACE: space}}


def _rule(part: str, peers: list[dict[str, Any]], ports: Any) -> dict[str, Any]:
    listed = [{"protocol": protocol, "port": port} for protocol, port in sorted(ports)]
    return {dict(SIDES)[part]: peers, "ports": listed}


def _file(
    space: str,
    name: str,
    spec: Mapping[str, Any],
    comments: Mapping[tuple[str, int], Sequence[str]],
    ignored: Mapping[str, str],
    title: str,
) -> File:
    meta: dict[str, Any] = {"name": name, "namespace": space}
    if ignored:
        reasons = (f"{rule}: {reason.replace(';', ',')}" for rule, reason in sorted(ignored.items()))
        meta["annotations"] = {IGNORE: "; ".join(reasons)}
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta}
    rest = {k: v for k, v in spec.items() if k not in ("ingress", "egress")}
    lines = [f"# {title}", *_yaml(head), "spec:", *(f"  {line}" for line in _yaml(rest))]
    for part, _ in SIDES:
        if part not in spec:
            continue
        lines.append(f"  {part}:")
        for number, rule in enumerate(spec[part]):
            lines += [f"  # {' '.join(text.split())}" for text in comments.get((part, number), ())]
            lines += [f"  {line}" for line in _yaml([rule])]
    return File(f"{space}/{name}.yaml", "\n".join(lines) + "\n")


def _yaml(data: Any) -> list[str]:
    return yaml.safe_dump(data, sort_keys=False, width=4096).splitlines()
