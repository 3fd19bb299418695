"""Payments on the node: four pods, of which one is the canary's, and a shopper that calls each by its address as often as the others."""

import contextlib

import monitoring
import reading
from node_scene import NodeScene, namespace, policy, workload
from patience import KUBECTL

PATIENCE = 3  # seconds until a call of the shopper fails: an answer comes before that on a busy machine, too
CANARY = {"matchLabels": [{"key": "track", "value": "canary"}]}
REQUESTS = {  # told apart by pod: those of the canary and their siblings
    "name": "requests",
    "kind": "volume",
    "test": "sequential",
    "regression": 1,  # enough was seen once clients that are all cut off would have shown
    "query": 'sum by (namespace, pod) (http_server_requests_total{namespace=~"$namespaces"})',
}


def letting_in(caller, port=None):
    """The policy of payments: this one may call, and Prometheus."""
    return policy("callers", (caller, monitoring.LABEL), port)


@contextlib.contextmanager
def payments(node):
    """The pods of payments and the shopper while it lasts; by name the address of each of the four, the canary's first."""
    spaces = ("payments", "shopper")
    node.apply(*(namespace(name) for name in spaces))
    canary = workload("payments", name="canary", track="canary")
    node.apply(canary, workload("payments", replicas=3, track="stable"))
    for name in ("canary", "app"):
        node.plane.run("rollout", "status", "-n", "payments", f"deployment/{name}", KUBECTL)
    pods = reading.listed(node.plane, reading.POD, "payments")
    pods.sort(key=lambda pod: (pod["metadata"]["labels"]["track"], pod["metadata"]["name"]))
    found = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods}
    client = workload("shopper", found.items())
    client["spec"]["template"]["spec"]["containers"][0]["env"].append(
        {"name": "TIMEOUT", "value": str(PATIENCE)}
    )
    node.apply(client)
    node.plane.run("rollout", "status", "-n", "shopper", "deployment/app", KUBECTL)
    try:
        yield found
    finally:
        for name in spaces:
            node.plane.run("delete", "deployments", "-n", name, "--all", KUBECTL)


class PaymentsScene(NodeScene):
    """A source over payments, whose canary has some pods first, and one more namespace."""

    servers = ("payments", "gamma")

    def declared(self, metrics, **strategy):
        return super().declared(metrics, **{"canary": ["payments"], **strategy})

    def first(self):
        return {**super().first(), "payments": letting_in("shopper")}
