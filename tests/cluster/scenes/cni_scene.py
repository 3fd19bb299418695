"""The shop of the end-to-end tests, its policies those of a CNI's own API: Cilium's, or Calico's."""

import json
from typing import NamedTuple

import yaml
from installed import ANYTHING, CALICO, CILIUM, listed
from patience import KUBECTL
from scene import SERVERS, Scene

from orchestrator.ports import Kind
from orchestrator.rollout.resources.places import CLUSTER

RULES = {"type": "array", "items": ANYTHING}


class Api(NamedTuple):
    """A kind of policies: its CRD, and specs that let `front` in, on a port or on all, and that deny everything."""

    kind: Kind
    crd: dict
    callers: dict
    tight: dict
    denial: dict


def structural(**fields):
    """The shape of an object whose spec has these fields and no others."""
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}


def _cilium():
    front = {"fromEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "front"}}]}
    ports = [{"ports": [{"port": "8080", "protocol": "TCP"}]}]
    return Api(
        Kind("cilium.io/v2", "CiliumNetworkPolicy"),
        listed(
            CILIUM,
            "v2",
            "CiliumNetworkPolicy",
            "ciliumnetworkpolicies",
            "Namespaced",
            structural(endpointSelector=ANYTHING, ingress=RULES, ingressDeny=RULES),
        ),
        {"ingress": [front], "endpointSelector": {}},
        {"ingress": [{**front, "toPorts": ports}], "endpointSelector": {}},
        {"ingressDeny": [{"fromEntities": ["cluster"]}], "ingress": [front], "endpointSelector": {}},
    )


def _calico():
    front = {"protocol": "TCP", "action": "Allow", "source": {"namespaceSelector": "app == 'front'"}}
    # Calico's API server writes the tier where none is given.
    tier = {"type": "string", "default": "default"}
    return Api(
        Kind("projectcalico.org/v3", "NetworkPolicy"),
        listed(
            CALICO,
            "v3",
            "NetworkPolicy",
            "networkpolicies",
            "Namespaced",
            structural(selector={"type": "string"}, tier=tier, ingress=RULES),
        ),
        {"selector": "all()", "ingress": [front]},
        {"selector": "all()", "ingress": [{**front, "destination": {"ports": [8080]}}]},
        {"selector": "all()", "ingress": [{"action": "Deny"}, front]},
    )


APIS = {"cilium": _cilium(), "calico": _calico()}
# The kind of the whole cluster; its policies say what those of a namespace do.
WIDE = APIS["cilium"]._replace(
    kind=Kind("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
    crd=listed(
        CILIUM,
        "v2",
        "CiliumClusterwideNetworkPolicy",
        "ciliumclusterwidenetworkpolicies",
        "Cluster",
        structural(endpointSelector=ANYTHING, ingress=RULES, ingressDeny=RULES),
    ),
)


def installed(plane, *crds):
    """They are served; others may have only just deleted some of the same names."""
    names = [f"crd/{crd['metadata']['name']}" for crd in crds]
    plane.run("wait", "--for=delete", *names, KUBECTL)
    plane.run("apply", "-f", "-", stdin="\n---\n".join(json.dumps(crd) for crd in crds))
    plane.run("wait", "--for=condition=Established", *names, KUBECTL)


def removed(plane, *crds):
    """And so whatever is of them."""
    plane.run("delete", "crd", *(crd["metadata"]["name"] for crd in crds), KUBECTL)


class CniScene(Scene):
    """The shop, whose source has the policies of one API alone."""

    def __init__(self, plane, folder, metrics, api):
        super().__init__(plane, folder, metrics)
        self.api, self.kind = api, api.kind

    def declared(self, metrics, **strategy):
        found = super().declared(metrics, **strategy)
        kinds = [{"apiVersion": self.kind.api_version, "kind": self.kind.kind}]
        return {**found, "spec": {**found["spec"], "kinds": kinds}}

    def policies_of(self, **specs):
        """One namespace's file: a policy by each name."""
        return self.written(self.kind, **specs)

    def written(self, kind, **specs):
        """A file of policies of a kind."""
        head = {"apiVersion": kind.api_version, "kind": kind.kind}
        return yaml.safe_dump_all(
            [{**head, "metadata": {"name": n}, "spec": s} for n, s in specs.items()], sort_keys=False
        )

    def first(self):
        """Beside `callers` a policy that says the same, and so may go without a connection."""
        return dict.fromkeys(SERVERS, self.policies_of(callers=self.api.callers, spare=self.api.callers))


class WideScene(CniScene):
    """The shop, whose source has policies of the whole cluster, too."""

    how = "atOnce"

    def declared(self, metrics, **strategy):
        found = super().declared(metrics, **{"clusterWide": self.how, **strategy})
        kinds = [{"apiVersion": k.api_version, "kind": k.kind} for k in (self.kind, WIDE.kind)]
        return {**found, "spec": {**found["spec"], "kinds": kinds}}

    def wide(self, **specs):
        """The cluster's file, as a commit takes it."""
        return {CLUSTER: self.written(WIDE.kind, **specs)}

    def clear(self):
        super().clear()
        self.plane.run("delete", WIDE.crd["metadata"]["name"], "--all", KUBECTL)


class ByWavesScene(WideScene):
    """The same, where those change with the namespaces of each wave."""

    how = "waves"
