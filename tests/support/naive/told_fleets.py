"""Random fleets, each with its naive evaluator: under the Kubernetes APIs alone, and under a CNI with policies of its own."""

from dataclasses import replace

import naive_calico
import naive_cilium
import naive_kubernetes
import random_cilium
import random_kubernetes
from random_calico import Made
from whole_fleet import Told, edges, fleet_of

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.objects.pod import NamedPort, Pod

CALICO = "projectcalico.org"
CILIUM_PORTS = [
    *(("TCP", n) for n in (1, 79, 80, 81, 90, 91, 442, 443, 444, 500, 501, 65535)),
    *(("UDP", n) for n in (53, 54, 80, 500)),
    ("SCTP", 80),
    ("SCTP", 443),
]
CALICO_PORTS = [
    *(("TCP", n) for n in (49, 50, 53, 79, 80, 81, 100, 101, 443, 444)),
    ("UDP", 53),
    ("UDP", 80),
    ("SCTP", 80),
]
# What the product reads where the text, or the versions of Calico, leave something open.
PLAIN = naive_calico.World(
    old_names=False,
    not_selector_own=True,
    sets_without_labels=True,
    own_services=False,
    http=True,
    client_port=0,
)


# The words of naive_kubernetes.py for what the product calls otherwise.
WORDS = {
    "block_covers_pods": "blocks_cover_pods",
    "host_as_node": "host_is_node",
    "node_address_hidden": "node_hidden",
}


def kubernetes(drawn):
    """The pods of random_kubernetes.py under some policies and a CNI's profile, with or without their Nodes."""
    policies, cni, known = drawn
    nodes = random_kubernetes.NODES if known else None
    world = naive_kubernetes.World(random_kubernetes.NAMESPACES, policies, nodes)
    settled = profile(cni)
    chosen = naive_kubernetes.Chosen(**{WORDS.get(name, name): value for name, value in settled.items()})
    by_name = {f"{pod.namespace}/{pod.name}": pod for pod in random_kubernetes.PODS}

    def allowed(src, dst, protocol, port):
        ends = (by_name.get(end, end) for end in (src, dst))
        return naive_kubernetes.outcomes(world, chosen, *ends, protocol, port) == {True}

    outside = dict.fromkeys([*random_kubernetes.OUTSIDE, *edges(policies)])
    return Told(
        kubernetes_fleet(policies, known),
        allowed,
        random_kubernetes.PORTS,
        [a for a in outside if a not in random_kubernetes.NODES],
        settled,
    )


def kubernetes_fleet(policies, known):
    """As it is read from files; the pod that stands for several comes of a workload."""
    addresses = random_kubernetes.NODES.items() if known else ()
    nodes = [_node(n, address, labels) for n, (address, labels) in enumerate(addresses)]
    found = fleet_of(random_kubernetes.NAMESPACES, random_kubernetes.PODS, *nodes, *policies)
    many = {(pod.namespace, pod.name) for pod in random_kubernetes.PODS if pod.many}
    workloads = (
        replace(w, pod=replace(w.pod, many=(w.pod.namespace, w.pod.name) in many)) for w in found.workloads
    )
    return replace(found, workloads=tuple(workloads))


def kubernetes_change(drawn):
    """The policies of a fleet, and others, some of them the same; Nodes may come or go."""
    (old, cni, known), (other, _, known_then), kept = drawn
    names = {p["metadata"]["name"] for p in old[:kept]}
    new = [*old[:kept], *(p for p in other if p["metadata"]["name"] not in names)]
    return kubernetes((old, cni, known)), kubernetes((new, cni, known_then))


def _node(number, address, labels):
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return {**_made("v1", "Node", f"n{number}", {}, labels=labels), "status": status}


def cilium(world):
    """A world of naive_cilium.py as manifests; what stands in it that the agent refuses does nothing."""
    world = {**world, "policies": [p for p in world["policies"] if not naive_cilium.refused(p)]}
    pods = [
        Pod(
            p["namespace"],
            p["name"],
            p["labels"],
            p["ip"],
            tuple(NamedPort(*port) for port in p["ports"]),
            p["node"],
            p["host"],
            account=p["account"],
        )
        for p in world["pods"].values()
    ]
    fleet = fleet_of(world["namespaces"], pods, *_around(world), *world["policies"])
    outside = dict.fromkeys([*random_cilium.OUTSIDE, *edges(world["policies"], world["groups"])])
    inside = {
        *world["nodes"],
        *(a for a, names in world["known"].items() if {"health", "ingress"} & {*names}),
    }
    return Told(
        fleet,
        lambda *asked: naive_cilium.allowed(world, *asked),
        CILIUM_PORTS,
        [a for a in outside if a not in inside],
        {"cilium": True},
    )


def _around(world):
    """What the agent knows of nodes and addresses, as the objects that tell of it."""
    for name, blocks in world["groups"].items():
        yield _made("cilium.io/v2", "CiliumCIDRGroup", name, {"externalCIDRs": blocks})
    for number, (address, labels) in enumerate(world["nodes"].items()):
        yield _node(number, address, labels)
    servers = [a for a, names in world["known"].items() if "kube-apiserver" in names]
    yield {
        **_made(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "kubernetes",
            None,
            namespace="default",
            labels={"kubernetes.io/service-name": "kubernetes"},
        ),
        "addressType": "IPv4",
        "ports": [{"port": 6443}],
        "endpoints": [{"addresses": servers}],
    }
    spec = {
        name: {"ipv4": a} for a, names in world["known"].items() for name in names if name != "kube-apiserver"
    }
    yield _made("cilium.io/v2", "CiliumNode", "n0", spec)


def calico(made):
    """A fleet of random_calico.py; what the client's port decides is left out of its rules, for no set of ports says it."""
    for policy in made.fleet.policies:
        for side in ("ingress", "egress"):
            for rule in policy["spec"].get(side, ()):
                for name in ("ports", "notPorts"):
                    rule["source"].pop(name, None)
    accounts = (
        _made("v1", "ServiceAccount", name, None, namespace=space, labels=labels)
        for (space, name), labels in made.fleet.accounts.items()
    )
    fleet = fleet_of(
        made.fleet.namespaces,
        made.pods,
        *accounts,
        *made.slices,
        *made.objects(),
        *made.fleet.kubernetes,
        *made.fleet.cluster,
    )
    pods = {f"{pod.namespace}/{pod.name}": pod for pod in made.pods}
    outside = dict.fromkeys(
        [
            *made.known["outside"],
            *edges(made.slices, made.objects(), made.fleet.kubernetes, made.fleet.cluster),
        ]
    )

    def allowed(src, dst, protocol, port):
        ends = (pods.get(end, end) for end in (src, dst))
        return naive_calico.passes(made.fleet, PLAIN, *ends, protocol, port)

    return Told(
        replace(fleet, asked_as=fleet.order or CALICO),
        allowed,
        CALICO_PORTS,
        [a for a in outside if a != made.known["node"]],
    )


def cilium_change(drawn):
    """A world, and what becomes of it: `drawn` are two worlds, how many policies of the first stay, and a pod that goes or changes."""
    old, other, kept, name, labels = drawn
    added = [
        {**p, "metadata": {**p["metadata"], "name": f"new-{p['metadata']['name']}"}}
        for p in other["policies"][: 2 if kept else None]
    ]
    pods = {n: p for n, p in old["pods"].items() if n != name or labels is not None}
    if name in pods:
        pods[name] = {**pods[name], "labels": labels}
    return cilium(old), cilium({**old, "pods": pods, "policies": old["policies"][:kept] + added})


def calico_change(seed):
    """The same of a fleet of random_calico.py."""
    made = Made(seed)
    return calico(made), calico(made.after())


def _made(version, kind, name, spec, **about):
    found = {"apiVersion": version, "kind": kind, "metadata": {"name": name, **about}}
    return found if spec is None else {**found, "spec": spec}
