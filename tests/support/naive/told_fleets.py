"""Random fleets under a CNI with its own policies, each with its naive evaluator."""

from dataclasses import replace

import naive_calico
import naive_cilium
import random_cilium
from random_calico import Made
from whole_fleet import Told, edges, fleet_of

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
        status = {"addresses": [{"type": "InternalIP", "address": address}]}
        yield {**_made("v1", "Node", f"n{number}", {}, labels=labels), "status": status}
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
    )
    pods = {f"{pod.namespace}/{pod.name}": pod for pod in made.pods}
    outside = dict.fromkeys(
        [*made.known["outside"], *edges(made.slices, made.objects(), made.fleet.kubernetes)]
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
