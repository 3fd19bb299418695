"""The sandbox's parts are asked by pages while a controller and the traffic write to them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from orchestrator.ports import Kind
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.sandbox.metrics import MemoryMetrics

T = datetime(2026, 1, 1, tzinfo=UTC)
MAP = Kind("v1", "ConfigMap")


def test_metrics_are_asked_while_series_appear():
    metrics, over = MemoryMetrics(), threading.Event()

    def scrape():
        for number in range(3000):
            metrics.add("up", {"namespace": f"n{number}"}, T, 1.0)
        over.set()

    with ThreadPoolExecutor(2) as pool:
        scraping = pool.submit(scrape)
        while not over.is_set():
            metrics.query("sum by (namespace) (up)", T)
        scraping.result()
    assert len(metrics.query("sum by (namespace) (up)", T + timedelta(seconds=1))) == 3000


def test_a_watch_that_begins_while_objects_are_created_misses_none():
    cluster = MemoryCluster(SimulatedClock())
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})

    def create():
        for number in range(200):
            meta = {"name": f"m{number}", "namespace": "a"}
            cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})

    with ThreadPoolExecutor(1) as pool:
        creating = pool.submit(create)
        seen = set()
        for event in cluster.watch(MAP, "a", seconds=10):
            seen.add(event.obj["metadata"]["name"])
            if len(seen) == 200:
                break
        creating.result()
    assert len(seen) == 200
