"""What stands beside the shop's policies in its repository: its workloads, a PolicyTest, and recorded connections."""

import json
from collections.abc import Iterator

import yaml

from orchestrator.policy.workloads.fleet import WORKLOADS
from orchestrator.ports import Manifest
from orchestrator.sandbox.shop import CALLS, HTTP, METRICS, MONITORING, SPACES, namespaces

FLOWS = "flows.jsonl"
TEST = "shop.test.yaml"
ENTRANCE = "web"
IMAGE = "registry.example.com/shop/{}:1.0.0"
_SECONDS = 60  # that the recorded connections stand for


def files() -> dict[str, str]:
    """By path: a file a namespace in the folder of workloads, the test, and the flows that the shop's calls make."""
    spaces = {str(o["metadata"]["name"]): o for o in namespaces()}
    found = {f"{WORKLOADS}/{n}.yaml": _yaml([spaces[n], *_workload(n)]) for n in SPACES}
    found[TEST] = _yaml([_test()])
    found[FLOWS] = "".join(f"{json.dumps(flow)}\n" for flow in _flows())
    return found


def _yaml(objects: list[Manifest]) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False)


def _workload(name: str) -> Iterator[Manifest]:
    """The Deployment and the Service of a namespace; the shop's door is a LoadBalancer."""
    variables = [
        {"name": f"{c.server.upper()}_URL", "value": f"http://{c.server}.{c.server}:{HTTP}"}
        for c in CALLS
        if c.client == name
    ]
    ports = [{"name": "http", "containerPort": HTTP}, {"name": "metrics", "containerPort": METRICS}]
    container = {"name": name, "image": IMAGE.format(name), "ports": ports}
    container |= {"env": variables} if variables else {}
    scraped = {"prometheus.io/scrape": "true", "prometheus.io/port": str(METRICS)}
    annotations = {} if name == MONITORING else {"annotations": scraped}
    pod = {"metadata": {"labels": {"app": name}, **annotations}, "spec": {"containers": [container]}}
    meta = {"name": name, "namespace": name}
    selector = {"matchLabels": {"app": name}}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {"replicas": 1, "selector": selector, "template": pod},
    }
    service = {
        "selector": {"app": name},
        "ports": [{"name": "http", "port": HTTP, "targetPort": "http"}],
    }
    kind = {"type": "LoadBalancer"} if name == ENTRANCE else {}
    yield {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {**kind, **service}}


def _test() -> Manifest:
    """What must hold; what the bad changes cut is left to the metrics, as where nobody wrote it down."""

    def intent(client: str, server: str, expect: str, reason: str) -> Manifest:
        word = "reaches" if expect == "reach" else "cannot reach"
        return {
            "name": f"{client} {word} {server}",
            "expect": expect,
            "from": {"namespace": client},
            "to": {"namespace": server},
            "ports": [{"port": HTTP}],
            "reason": reason,
        }

    intents = [
        intent("web", "catalog", "reach", "without its goods the shop is empty"),
        intent("checkout", "cart", "reach", "checkout reads what is bought"),
        intent("orders", "shipping", "reach", "what is ordered is sent"),
        intent("web", "payments", "blocked", "payments are checkout's to make"),
        intent("email", "payments", "blocked", "mail reads what strangers write"),
    ]
    doors = [{"namespace": ENTRANCE}, {"namespace": MONITORING}]
    internet = [{"name": "the shop's doors", "onlyTo": doors, "reason": f"{MONITORING} has no policies yet"}]
    return {
        "apiVersion": "netpol-canary.dev/v1alpha1",
        "kind": "PolicyTest",
        "metadata": {"name": "shop"},
        "spec": {"intents": intents, "internet": internet},
    }


def _flows() -> Iterator[Manifest]:
    """One line a connection that was seen; `count` as the shop's rates make it."""
    for call in CALLS:
        yield {
            "src": f"{call.client}/{call.client}",
            "dst": f"{call.server}/{call.server}",
            "port": HTTP,
            "count": round(call.rate * _SECONDS),
        }
    for name in SPACES:
        if name != MONITORING:
            yield {"src": f"{MONITORING}/{MONITORING}", "dst": f"{name}/{name}", "port": METRICS, "count": 4}
