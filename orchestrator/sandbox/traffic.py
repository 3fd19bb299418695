"""Requests between the shop's namespaces, as far as the policies in force let them pass; and their scrape."""

import math
from datetime import datetime

from orchestrator.policy.evaluate.evaluator import Network, Pod
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS, REFERRED
from orchestrator.policy.workloads.fleet import fleet, pods_of
from orchestrator.ports import Kind
from orchestrator.sandbox import shop
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.sandbox.metrics import MemoryMetrics

FURTHER = dict.fromkeys(
    Kind(k.api_version, k.kind) for found in (POLICY_KINDS, *REFERRED.values()) for k in found
)
KINDS = (Kind("v1", "Namespace"), Kind("v1", "Pod"), Kind("networking.k8s.io/v1", "NetworkPolicy"), *FURTHER)
TICK = 5.0
_INTERNET = "203.0.113.7"


Pods = dict[str, dict[str, Pod]]


def network(cluster: MemoryCluster) -> tuple[Network, Pods]:
    """The network as the policies of every API now stand, and the pods of each namespace by their names."""
    standing = [Document(obj, "the sandbox", 1) for kind in KINDS for obj in cluster.list(kind)]
    found: Pods = {}
    for obj in (d.obj for d in standing if d.obj["kind"] == "Pod"):
        meta = obj["metadata"]
        found.setdefault(meta["namespace"], {})[meta["name"]] = pods_of([obj])[0]
    return fleet(standing, live=True).network(), found


class Traffic:
    """Called at every tick of the clock; counts requests and lets them be scraped.

    The pods of a server get as many requests each; a request is good where it passes, and all that its server needs does.
    """

    def __init__(self, cluster: MemoryCluster, metrics: MemoryMetrics) -> None:
        self._cluster, self._metrics = cluster, metrics
        self._counts: dict[tuple[str, str, str, str], float] = {}
        self._ticks = 0

    def tick(self, now: datetime) -> None:
        """Five seconds of requests, then one scrape of every pod that can be reached."""
        net, pods = network(self._cluster)
        self._ticks += 1
        swell = 1 + 0.08 * math.sin(self._ticks / 3)
        healthy = {name: self._works(net, pods, name) for name in pods}
        for call in shop.CALLS:
            if call.client in pods and call.server in pods:
                self._call(net, pods, call, healthy, call.rate * TICK * swell)
        for name, pod in pods.get("web", {}).items():
            if net.allowed(_INTERNET, pod, "TCP", shop.HTTP):
                amount = 50 * TICK * swell / len(pods["web"])
                self._count("http_server_requests_total", ("web", name), healthy["web"], amount)
        self._scrape(net, pods, now)

    def _works(self, net: Network, pods: Pods, name: str) -> float:
        """The share of its requests that is good."""
        found = 1.0
        for call in shop.CALLS:
            if call.client == name and call.needed and call.server in pods:
                servers = pods[call.server].values()
                passing = sum(net.allowed(_first(pods, name), pod, "TCP", shop.HTTP) for pod in servers)
                found *= passing / len(servers) * self._works(net, pods, call.server)
        return found

    def _call(
        self, net: Network, pods: Pods, call: shop.Call, healthy: dict[str, float], amount: float
    ) -> None:
        client = (call.client, next(iter(pods[call.client])))
        for name, pod in pods[call.server].items():
            passes = net.allowed(_first(pods, call.client), pod, "TCP", shop.HTTP)
            good, mine = healthy[call.server] if passes else 0.0, amount / len(pods[call.server])
            self._count("http_client_requests_total", client, good, mine)
            if passes:
                self._count("http_server_requests_total", (call.server, name), good, mine)

    def _count(self, metric: str, pod: tuple[str, str], good: float, amount: float) -> None:
        for outcome, share in (("ok", good), ("error", 1 - good)):
            if share:
                key = (metric, *pod, outcome)
                self._counts[key] = self._counts.get(key, 0.0) + amount * share

    def _scrape(self, net: Network, pods: Pods, now: datetime) -> None:
        observer = _first(pods, shop.MONITORING) if shop.MONITORING in pods else None
        for space, name, pod in ((space, *item) for space, found in pods.items() for item in found.items()):
            seen = observer is not None and net.allowed(observer, pod, "TCP", shop.METRICS)
            labels = {"namespace": space, "pod": name}
            self._metrics.add("up", labels, now, 1.0 if seen else 0.0)
            if not seen:
                continue
            for (metric, *of, outcome), value in self._counts.items():
                if of == [space, name]:
                    self._metrics.add(metric, {**labels, "outcome": outcome}, now, value)


def _first(pods: Pods, space: str) -> Pod:
    return next(iter(pods[space].values()))
