"""Strategies for rollouts on the node, the metrics they ask for, and what became of their waves."""

import json

import images
import node_scene
import yaml
from node_scene import OWN

SERVERS = node_scene.NODE_SERVERS
COUNTER = 'sum by (namespace, pod) (http_client_requests_total{{namespace=~"$namespaces"{}}})'
CLIENT_ERRORS = {
    "name": "client-errors",
    "kind": "ratio",
    "test": "sequential",
    "errors": COUNTER.format(',outcome="error"'),
    "total": COUNTER.format(""),
    "required": False,
}
GROWN = 'sum by (namespace) (increase(http_client_requests_total{{namespace=~"$namespaces"{}}}[$window]))'
CLIENT_SHARE = {
    "name": "client-share",
    "kind": "ratio",
    "errors": GROWN.format(',outcome="error"'),
    "total": GROWN.format(""),
    "maximum": 0.5,
    "required": False,
}
TARGETS = 'count by (namespace) (up{namespace=~"$namespaces"})'  # there, whether or not a scrape was lost
FEW = {  # never as many samples as are asked for
    "name": "few",
    "kind": "ratio",
    "errors": f"0 * {TARGETS}",
    "total": TARGETS,
    "maximum": 1,
    "minSamples": 1000,
}
SCRAPE = {"name": "scrape", "kind": "scrape", "query": 'sum by (namespace) (up{namespace=~"$namespaces"})'}


def probe(server):
    ends = {"source": "front/app", "destination": f"{server}/app", "port": 8080}
    return {"name": f"front-{server}", **ends}


def strategy(probes=True, metrics=(), url="", declared=(), canary=("beta",), seconds=240, **beside):
    """Quick enough for a test; with `probes`, those that the wave chooses and one declared a server. `seconds` is a pod's end.

    `beside` is what the strategy says besides.
    """
    probing = {
        "image": images.PROBE,
        "stableSeconds": 3,
        "readySeconds": 8,
        "seconds": seconds,
        "edges": probes,
        "longLivedSeconds": 30,
    }
    found = {
        "intervalSeconds": 2,
        "count": 2,
        "baselineSeconds": 60,
        "limitSeconds": 60,
        "windowSeconds": 5,
        "metrics": list(metrics),
        "probing": probing,
        "probes": [probe(name) for name in SERVERS] if probes else list(declared),
    }
    if metrics:
        found |= {"prometheus": {"url": url}, "count": 30}  # a client that waits for timeouts fails slowly
    return {"canary": list(canary), "settleSeconds": 1, "analysis": found, **beside}


def run(shop, **given):
    """Write the source with this strategy and run it; the completed process."""
    write(shop, **given)
    return shop.run()


def write(shop, more=(), **given):
    """Write the source with this strategy; `more` goes over what its analysis says."""
    body = yaml.safe_load(shop.file.read_text())
    body["spec"]["strategy"] = strategy(url=shop.metrics, **given)
    body["spec"]["strategy"]["analysis"] |= dict(more)
    shop.file.write_text(yaml.safe_dump(body))


def analyses(shop):
    items = json.loads(shop.plane.run("get", "wan", "-n", OWN, "-o", "json"))["items"]
    name = shop.rollout()["metadata"]["name"]
    return sorted((i for i in items if i["spec"]["rollout"] == name), key=lambda i: i["spec"]["wave"])


def said(done):
    return done.stdout + done.stderr
