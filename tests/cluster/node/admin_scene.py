"""The shop on the node, whose source has AdminNetworkPolicies, too, which change with the namespaces of each wave."""

import yaml
from cni_scene import RULES, structural
from installed import ANYTHING, TIERED, listed
from node_scene import NODE_SERVERS, NodeScene
from patience import KUBECTL

from orchestrator.ports import Kind
from orchestrator.rollout.resources.places import CLUSTER

ADMIN = Kind("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy")
CRD = listed(
    TIERED,
    "v1alpha1",
    ADMIN.kind,
    "adminnetworkpolicies",
    "Cluster",
    structural(priority={"type": "integer"}, subject=ANYTHING, ingress=RULES, egress=RULES),
)
SHOP = {"namespaces": {"matchExpressions": [{"key": "app", "operator": "In", "values": [*NODE_SERVERS]}]}}


def named(app):
    """The namespace with this label, as a peer or a subject."""
    return {"namespaces": {"matchLabels": {"app": app}}}


def pods_of(app):
    """The pods with this label, in whichever namespace."""
    return {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": app}}}}


def rule(action, side, peer, *ports):
    """`side` is from or to; each of the ports a number, or a range of numbers; all where none is given."""
    return {"action": action, side: [peer], **({"ports": [_port(port) for port in ports]} if ports else {})}


def _port(port):
    if isinstance(port, int):
        return {"portNumber": {"protocol": "TCP", "port": port}}
    return {"portRange": {"protocol": "TCP", "start": port[0], "end": port[-1]}}


def admin(name, priority, subject, **rules):
    """An AdminNetworkPolicy."""
    spec = {"priority": priority, "subject": subject, **rules}
    return {"apiVersion": ADMIN.api_version, "kind": ADMIN.kind, "metadata": {"name": name}, "spec": spec}


def shutting(port):
    """The shop's policy of the whole cluster: its namespaces keep front from a port."""
    return admin("front", 20, SHOP, ingress=[rule("Deny", "from", named("front"), port)])


class AdminScene(NodeScene):
    """Its first policy of the whole cluster keeps front from port 8081."""

    def declared(self, metrics, **strategy):
        found = super().declared(metrics, **{"clusterWide": "waves", **strategy})
        kinds = [("networking.k8s.io/v1", "NetworkPolicy"), (ADMIN.api_version, ADMIN.kind)]
        found["spec"]["kinds"] = [{"apiVersion": version, "kind": kind} for version, kind in kinds]
        ann = {"email": "ann@example.com", "user": "ann"}  # without a user she counts as anybody
        found["spec"]["identities"] = [ann]
        return found

    def first(self):
        return {**super().first(), **self.wide(8081)}

    def wide(self, port):
        """The cluster's file, as a commit takes it."""
        return {CLUSTER: yaml.safe_dump(shutting(port))}

    def clear(self):
        self.plane.run("delete", CRD["metadata"]["name"], "--all", KUBECTL)
        super().clear()
