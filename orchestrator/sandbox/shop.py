"""A shop of twelve namespaces: its workloads, who calls whom, and the policies it starts with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.ports import Kind, Manifest


@dataclass(frozen=True)
class Call:
    """Requests a second from one namespace to another; `needed` where the caller fails without it."""

    client: str
    server: str
    rate: float
    needed: bool = True


CILIUM = Kind("cilium.io/v2", "CiliumNetworkPolicy")
CLUSTERWIDE = Kind("cilium.io/v2", "CiliumClusterwideNetworkPolicy")
HTTP, METRICS, MONITORING = 8080, 9090, "monitoring"
CANARIES = ("catalog", "payments", "search")
SPACES = (
    "accounts",
    "cart",
    "catalog",
    "checkout",
    "email",
    "inventory",
    MONITORING,
    "orders",
    "payments",
    "search",
    "shipping",
    "web",
)
CALLS = (
    Call("web", "catalog", 40),
    Call("web", "search", 20, needed=False),
    Call("web", "cart", 15, needed=False),
    Call("web", "checkout", 8, needed=False),
    Call("web", "accounts", 10, needed=False),
    Call("search", "catalog", 12),
    Call("cart", "inventory", 10),
    Call("checkout", "cart", 8),
    Call("checkout", "payments", 8),
    Call("checkout", "orders", 6),
    Call("orders", "shipping", 5),
    Call("orders", "email", 5, needed=False),
    Call("shipping", "inventory", 4),
)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # every sandbox begins with these files


def namespaces() -> list[Manifest]:
    """The shop's namespaces."""
    found = []
    for name in SPACES:
        labels = {"kubernetes.io/metadata.name": name, "team": "shop"}
        if name in CANARIES:
            labels["tier"] = "canary"
        metadata = {"name": name, "labels": labels}
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    return found


def pods(replicas: Mapping[str, int]) -> list[Manifest]:
    """One pod a namespace, or so many."""
    found = []
    for name in SPACES:
        several = replicas.get(name, 1)
        found += [_pod(name, number, several > 1) for number in range(several)]
    return found


def _pod(name: str, number: int, owned: bool) -> Manifest:
    ports = [{"name": "http", "containerPort": HTTP}, {"name": "metrics", "containerPort": METRICS}]
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "uid": name, "controller": True}
    metadata = {
        "name": f"{name}-{number}",
        "namespace": name,
        "labels": {"app": name},
        **({"ownerReferences": [owner]} if owned else {}),
    }
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    spec = {"containers": [{"name": name, "image": name, "ports": ports}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def callers_policy(
    name: str,
    *,
    tight: bool = False,
    rename: dict[str, str] | None = None,
    more: tuple[str, ...] = (),
    port: int = HTTP,
) -> str:
    """Who may call a namespace, as YAML, and `more` besides; `tight` names the port as well."""
    callers = sorted({c.client for c in CALLS if c.server == name} | set(more))
    callers = [(rename or {}).get(c, c) for c in callers]
    spaces = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": c}}} for c in callers]
    rule: dict[str, Any] = {"from": spaces} if spaces else {}
    if tight:
        rule["ports"] = [{"port": port, "protocol": "TCP"}]
    return _policy("callers", rule)


def calls_policy(name: str, ports: Mapping[str, int]) -> str:
    """Whom a namespace may call, as YAML; `ports` has those of servers that are not on the HTTP port."""
    servers = sorted({c.server for c in CALLS if c.client == name})
    rules = [
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": server}}}],
            "ports": [{"port": ports.get(server, HTTP), "protocol": "TCP"}],
        }
        for server in servers
    ]
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "calls"},
        "spec": spec,
    }
    return str(yaml.dump(body, Dumper=_DUMPER, sort_keys=False))


def scrape_policy() -> str:
    """Lets Prometheus read the metrics, as YAML."""
    space = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": MONITORING}}}
    return _policy("scrape", {"from": [space], "ports": [{"port": METRICS, "protocol": "TCP"}]})


def _policy(name: str, rule: dict[str, Any]) -> str:
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]},
    }
    return str(yaml.dump(body, Dumper=_DUMPER, sort_keys=False))


def deny_policy() -> str:
    """Cilium's: denies the HTTP port to the whole cluster, and so to those that other policies allow, as YAML."""
    return _denial(CILIUM, "deny", {"endpointSelector": {}}, {"port": str(HTTP), "protocol": "TCP"})


def http_alone_policy() -> str:
    """Cilium's, for the pods of every namespace: denies all ports but those up to the HTTP port, as YAML."""
    pods = {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}]}
    ports = {"port": str(HTTP + 1), "endPort": 65535, "protocol": "TCP"}
    return _denial(CLUSTERWIDE, "http-alone", {"endpointSelector": pods}, ports)


def _denial(kind: Kind, name: str, subject: dict[str, Any], ports: dict[str, Any]) -> str:
    body = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name},
        "spec": {**subject, "ingressDeny": [{"fromEntities": ["cluster"], "toPorts": [{"ports": [ports]}]}]},
    }
    return str(yaml.dump(body, Dumper=_DUMPER, sort_keys=False))


def files() -> dict[str, str]:
    """The repository that the shop starts with: one folder a namespace."""
    found = {}
    for name in SPACES:
        if name != MONITORING:
            found[f"{name}/callers.yaml"] = callers_policy(name)
            found[f"{name}/scrape.yaml"] = scrape_policy()
    return found
