"""The sandbox as one piece: cluster, clock, traffic, metrics, prober, with the shop in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.policy.objects.owners import CANARY_LABEL
from orchestrator.policy.objects.pod import Pod
from orchestrator.ports import Probe, ProbeResult
from orchestrator.sandbox import shop
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.sandbox.metrics import MemoryMetrics
from orchestrator.sandbox.traffic import TICK, Pods, Traffic, network

WRITE_SECONDS = 0.02


@dataclass(frozen=True)
class MemoryProber:
    """Implements `Prober` against the policies that stand in the cluster."""

    cluster: MemoryCluster

    def run(self, probes: Sequence[Probe]) -> list[ProbeResult]:
        net, pods = network(self.cluster)
        found = []
        for probe in probes:
            ends = [_pod(pods, end) for end in (probe.source, probe.destination)]
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


def _pod(pods: Pods, end: str) -> Pod | None:
    """The pod of that name, else one of its namespace that is like the others of its workload."""
    space, _, name = end.partition("/")
    found = pods.get(space, {})
    others = (pod for pod in found.values() if CANARY_LABEL not in pod.labels)
    return found.get(name) or next(others, next(iter(found.values()), None))


@dataclass(frozen=True)
class World:
    """All the sandbox's parts."""

    clock: SimulatedClock
    cluster: MemoryCluster
    metrics: MemoryMetrics
    prober: MemoryProber


def build(
    namespace: str = "netpol-canary",
    clock: SimulatedClock | None = None,
    replicas: Mapping[str, int] | None = None,
) -> World:
    """The shop without policies, and the orchestrator's own namespace; `replicas` are the pods of a namespace, one where it is not named."""
    clock = clock or SimulatedClock()
    cluster, metrics = MemoryCluster(clock), MemoryMetrics()
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for obj in [*shop.namespaces(), *shop.pods(replicas or {})]:
        cluster.create(obj)
    cluster.latency = WRITE_SECONDS
    clock.subscribe(Traffic(cluster, metrics).tick, TICK)
    return World(clock, cluster, metrics, MemoryProber(cluster))
