"""The sandbox as one piece: cluster, clock, traffic, metrics, prober, with the shop in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.ports import Probe, ProbeResult
from orchestrator.sandbox import shop
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.sandbox.metrics import MemoryMetrics
from orchestrator.sandbox.traffic import TICK, Traffic, network

WRITE_SECONDS = 0.02


@dataclass(frozen=True)
class MemoryProber:
    """Implements `Prober` against the policies that stand in the cluster."""

    cluster: MemoryCluster

    def run(self, probes: Sequence[Probe]) -> list[ProbeResult]:
        net, pods = network(self.cluster)
        found = []
        for probe in probes:
            ends = [pods.get(end.split("/")[0]) for end in (probe.source, probe.destination)]
            if ends[0] is None or ends[1] is None:
                found.append(ProbeResult(probe, None, "there is no such workload"))
                continue
            seen = net.allowed(ends[0], ends[1], probe.protocol, probe.port)
            found.append(ProbeResult(probe, seen, "connected" if seen else "timed out"))
        return found

    def hold(self, probes: Sequence[Probe], key: str) -> None:
        """Nothing is kept open here: policies decide about new connections only."""

    def held(self, key: str) -> list[ProbeResult]:
        return []

    def release(self, key: str) -> None:
        """Nothing was kept open."""


@dataclass(frozen=True)
class World:
    """All the sandbox's parts."""

    clock: SimulatedClock
    cluster: MemoryCluster
    metrics: MemoryMetrics
    prober: MemoryProber


def build(namespace: str = "netpol-canary", clock: SimulatedClock | None = None) -> World:
    """The shop without policies, and the orchestrator's own namespace."""
    clock = clock or SimulatedClock()
    cluster, metrics = MemoryCluster(clock), MemoryMetrics()
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for obj in [*shop.namespaces(), *shop.pods()]:
        cluster.create(obj)
    cluster.latency = WRITE_SECONDS
    clock.subscribe(Traffic(cluster, metrics).tick, TICK)
    return World(clock, cluster, metrics, MemoryProber(cluster))
