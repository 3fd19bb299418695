"""A process that sends no packets but counts requests as the policies in the API server let them pass.

`python traffic.py KUBECONFIG PORT [API_VERSION/KIND...]`: `front` calls every other namespace of the tests; the counters
stand on http://127.0.0.1:PORT/metrics for Prometheus. Policies of the kinds named count besides NetworkPolicies. Ends with
its parent, or by SIGTERM.
"""

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import PortError
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.workloads.fleet import pods_of
from orchestrator.ports import Kind

CLIENT, PORT, TICK, RATE = "front", 8080, 0.25, 20  # seconds; requests a second to each server
counts: dict[tuple[str, str, str], float] = {}
passing: dict[str, bool] = {}  # what the policies let pass when they were last looked at, by namespace
lock, since = threading.Lock(), [time.monotonic()]


def tick(cluster, further):
    """What the policies let pass, as they now stand."""
    spaces = {
        o["metadata"]["name"]: o["metadata"].get("labels") or {}
        for o in cluster.list(Kind("v1", "Namespace"))
    }
    others = [obj for kind in further for obj in cluster.list(kind)]
    net = Network(spaces, cluster.list(Kind("networking.k8s.io/v1", "NetworkPolicy")), further=others)
    pods = {p.namespace: p for p in pods_of(cluster.list(Kind("v1", "Pod")))}
    found = {}
    for name, pod in sorted(pods.items()):
        if name == CLIENT or CLIENT not in pods:
            continue
        found[name] = net.allowed(pods[CLIENT], pod, "TCP", PORT)
    counted()
    with lock:
        passing.clear()
        passing.update(found)


def counted():
    """Count up to now: as many requests in each second, however seldom a busy machine comes to look."""
    with lock:
        now = time.monotonic()
        number, since[0] = RATE * (now - since[0]), now
        for name, passes in passing.items():
            add("client", CLIENT, "ok" if passes else "error", number)
            if passes:
                add("server", name, "ok", number)


def add(side, namespace, outcome, number):
    for each in ("ok", "error"):
        counts.setdefault((side, namespace, each), 0)
    counts[side, namespace, outcome] += number


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self):
        counted()
        lines = [
            f'http_{side}_requests_total{{namespace="{namespace}",outcome="{outcome}"}} {value}'
            for (side, namespace, outcome), value in sorted(counts.items())
        ]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silence."""


def main(kubeconfig, port, *named):
    further = [Kind(*name.rsplit("/", 1)) for name in named]
    cluster, parent = connect(kubeconfig), os.getppid()
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while os.getppid() == parent:
        time.sleep(TICK)
        try:
            tick(cluster, further)
        except PortError as error:
            print(error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
