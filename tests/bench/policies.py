"""How long `reach` and `diff` take on a synthetic fleet: part of `make bench`.

Each namespace holds 4 workloads, default-deny, DNS egress, one targeted ingress policy a workload, some across
namespaces. Seconds, parsing included, beside the bare parsing of the same YAML with the C loader.
"""

import time

import yaml

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import reach
from orchestrator.policy.workloads.fleet import fleet

SIZES = (10, 100, 400, 1000)


def policy(namespace, name, spec):
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def named(namespace):
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def namespace(number, size):
    """The objects of one namespace."""
    own, after, before = (f"ns-{n % size:04d}" for n in (number, number + 1, number - 1))
    yield {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": own, "labels": {"team": f"t{number % 10}"}},
    }
    for work in range(4):
        container = {"name": "app", "ports": [{"name": "http", "containerPort": 8080 + work}]}
        template = {"metadata": {"labels": {"app": f"w{work}"}}, "spec": {"containers": [container]}}
        meta = {"name": f"w{work}", "namespace": own}
        yield {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"template": template},
        }
    yield policy(own, "deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    dns = {"to": [named("kube-system")], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}
    yield policy(
        own, "egress", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [dns, {"to": [named(after)]}]}
    )
    for work in range(4):
        peers = [{"podSelector": {"matchLabels": {"app": f"w{(work + 1) % 4}"}}}]
        if work == 0:
            peers.append({**named(before), "podSelector": {"matchLabels": {"app": "w3"}}})
        rule = {"from": peers, "ports": [{"port": 8080 + work}]}
        spec = {
            "podSelector": {"matchLabels": {"app": f"w{work}"}},
            "policyTypes": ["Ingress"],
            "ingress": [rule],
        }
        yield policy(own, f"in-{work}", spec)


def main():
    print(
        f"\n{'policies':10} {'namespaces':>10} {'bare YAML s':>12} {'reach s':>8} {'diff s':>8} {'reach/bare':>11}"
    )
    for size in SIZES:
        texts = [
            yaml.dump_all(namespace(n, size), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)).encode()
            for n in range(size)
        ]
        began = time.perf_counter()
        for text in texts:
            list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        bare = time.perf_counter() - began
        began = time.perf_counter()
        found = fleet(d for text in texts for d in parse(text, "x.yaml"))
        assert len(reach(found)) >= size
        reached = time.perf_counter() - began
        began = time.perf_counter()
        others = fleet(
            d for text in [*texts[1:], texts[0].replace(b"8080", b"8079")] for d in parse(text, "x.yaml")
        )
        assert changes(found, others)
        compared = time.perf_counter() - began
        print(
            f"{'':10} {size:10} {bare:12.3f} {reached:8.3f} {compared:8.3f} {reached / bare:11.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
