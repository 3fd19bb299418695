"""How many webhooks one process takes on the loopback address, and its memory: `make bench`.

5,000 signed pushes for 100 sources over 8 connections, half of them for one source, and 500 with a wrong signature;
the cluster is in memory. The clients are threads of another process.
"""

import base64
import hashlib
import hmac
import http.client
import json
import multiprocessing
import resource
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import on_path  # noqa: F401

from orchestrator.adapters.clock import SystemClock
from orchestrator.context import Context
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.server.http_app import create
from orchestrator.server.listen import listening
from orchestrator.server.parts import Parts
from orchestrator.server.settings import Settings

PUSHES, WRONG, SOURCES, CLIENTS, OWN = 5000, 500, 100, 8, "netpol-canary"
SECRET = b"bench"
PAYLOAD = Path(__file__).parents[1] / "server" / "webhooks" / "payloads" / "github_push.json"


def body(number):
    """A push as GitHub reports it, to the repository of one of the sources."""
    found = json.loads(PAYLOAD.read_text())
    found["repository"]["clone_url"] = f"https://github.com/platform/policies-{number}.git"
    return json.dumps(found).encode()


def send(port, share, secret, times, statuses):
    """One client: its deliveries one after the other over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    bodies = {n: body(n) for n in set(share)}
    signed = {n: hmac.new(secret, b, hashlib.sha256).hexdigest() for n, b in bodies.items()}
    for number in share:
        headers = {"X-GitHub-Event": "push", "Content-Type": "application/json"}
        headers["X-Hub-Signature-256"] = f"sha256={signed[number]}"
        began = time.perf_counter()
        connection.request("POST", "/webhooks/github", bodies[number], headers)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        statuses.append(answer.status)


def clients(port, secret, count, queue):
    """All clients at once; puts what they measured into the queue."""
    shares = [[0 if n % 2 else n % SOURCES for n in range(c, count, CLIENTS)] for c in range(CLIENTS)]
    times, statuses = [], []
    threads = [threading.Thread(target=send, args=(port, s, secret, times, statuses)) for s in shares]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((time.perf_counter() - began, times, statuses))


def cluster():
    found = MemoryCluster(SystemClock())
    found.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN}})
    data = {"webhookSecret": base64.b64encode(SECRET).decode()}
    meta = {"name": "webhooks", "namespace": OWN}
    found.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
    for number in range(SOURCES):
        git = m.Git(url=f"git@github.com:platform/policies-{number}.git")
        spec = m.PolicySourceSpec(git=git, namespaces=m.NamespaceScope(names=["shop"]))
        found.create(new("PolicySource", f"source-{number}", OWN, spec))
    return found


def measured(port, secret, count):
    queue = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=clients, args=(port, secret, count, queue))
    used = time.process_time()
    process.start()
    found = queue.get(timeout=300)
    process.join(10)
    return (*found, time.process_time() - used)


def memory():
    """The most that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    store = cluster()
    ctx = Context(store, SystemClock(), None, None, None, None, OWN)
    settings = Settings(
        webhooks={"secret_ref": "webhooks"}, controller={"enabled": False}, pages={"enabled": False}
    )
    before = memory()
    with listening(create(Parts(ctx), settings), ("127.0.0.1", 0), 100) as port:
        rows = [("signed pushes", 202, measured(port, SECRET, PUSHES))]
        rows.append(("wrong signatures", 401, measured(port, b"wrong", WRONG)))
    for name, wanted, (seconds, times, statuses, used) in rows:
        assert statuses == [wanted] * len(statuses), sorted(set(statuses))
        high = statistics.quantiles(times, n=100)[98] * 1000
        rate = f"{len(times) / seconds:6.0f}/s"
        each = f"{used / len(times) * 1000:.2f} ms of processor time each"
        print(f"webhooks, {len(times):5} {name:17}: {rate}, 99 % within {high:.0f} ms, {each}")
    written = store.writes["replace", "PolicySource"]
    print(
        f"webhooks, writes to {SOURCES} sources: {written}; memory {before:.0f} MiB before, {memory():.0f} MiB at most"
    )


if __name__ == "__main__":
    main()
