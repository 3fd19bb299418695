"""Requests between the shop's namespaces, as far as the policies in force let them pass; and their scrape."""

import math
from datetime import datetime

from orchestrator.policy.evaluate.evaluator import Network, Pod
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS, REFERRED
from orchestrator.policy.workloads.fleet import fleet
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


def network(cluster: MemoryCluster) -> tuple[Network, dict[str, Pod]]:
    """The network as the policies of every API now stand, and one pod for each namespace."""
    standing = (Document(obj, "the sandbox", 1) for kind in KINDS for obj in cluster.list(kind))
    found = fleet(standing, live=True)
    return found.network(), {w.pod.namespace: w.pod for w in found.workloads}


class Traffic:
    """Called at every tick of the clock; counts requests and lets them be scraped."""

    def __init__(self, cluster: MemoryCluster, metrics: MemoryMetrics) -> None:
        self._cluster, self._metrics = cluster, metrics
        self._counts: dict[tuple[str, str, str], float] = {}
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
        if "web" in pods and net.allowed(_INTERNET, pods["web"], "TCP", shop.HTTP):
            self._count("http_server_requests_total", "web", healthy["web"], 50 * TICK * swell)
        self._scrape(net, pods, now)

    def _works(self, net: Network, pods: dict[str, Pod], name: str) -> bool:
        return all(
            net.allowed(pods[name], pods[c.server], "TCP", shop.HTTP) and self._works(net, pods, c.server)
            for c in shop.CALLS
            if c.client == name and c.needed and c.server in pods
        )

    def _call(
        self, net: Network, pods: dict[str, Pod], call: shop.Call, healthy: dict[str, bool], amount: float
    ) -> None:
        passes = net.allowed(pods[call.client], pods[call.server], "TCP", shop.HTTP)
        good = passes and healthy[call.server]
        self._count("http_client_requests_total", call.client, good, amount)
        if passes:
            self._count("http_server_requests_total", call.server, good, amount)

    def _count(self, metric: str, namespace: str, good: bool, amount: float) -> None:
        key = (metric, namespace, "ok" if good else "error")
        self._counts[key] = self._counts.get(key, 0.0) + amount

    def _scrape(self, net: Network, pods: dict[str, Pod], now: datetime) -> None:
        observer = pods.get(shop.MONITORING)
        for name, pod in pods.items():
            seen = observer is not None and net.allowed(observer, pod, "TCP", shop.METRICS)
            self._metrics.add("up", {"namespace": name}, now, 1.0 if seen else 0.0)
            if not seen:
                continue
            for (metric, namespace, outcome), value in self._counts.items():
                if namespace == name:
                    self._metrics.add(metric, {"namespace": name, "outcome": outcome}, now, value)
