"""What rollouts on the node play in: a client and its servers as Deployments, Services, Prometheus, a repository.

`front` calls `app` in every server namespace, about 8 times a second each. Furnishing again is quick: pods stay,
and a test's rollouts, policies and Jobs are taken away after it.
"""

import images
import monitoring
import yaml
from clearing import freed
from patience import KUBECTL
from scene import DROPPED, OWN, Scene, eventually

__all__ = ["DROPPED", "OWN", "NodeScene", "eventually", "namespace", "policy", "service", "workload"]
PORT = 8080
NODE_SERVERS = ("alpha", "beta", "gamma")


def namespace(name):
    meta = {"name": name, "labels": {"app": name, "netpol-canary.dev/test": "true"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def pod_spec(targets=(), image=images.APP):
    """A pod of app.py; `targets` are (name, address) pairs that it calls."""
    container = {
        "name": "app",
        "image": image,
        "env": [{"name": "TARGETS", "value": ",".join(f"{name}={host}:{PORT}" for name, host in targets)}],
        "ports": [{"containerPort": PORT, "name": "http"}],
        # without requests a busy node gives it next to nothing
        "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}},
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
        },
    }
    return {
        "containers": [container],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 2,
    }


def workload(space, targets=(), replicas=1, name="app", **labels):
    """A Deployment that Prometheus scrapes; its pods bear these labels as well."""
    labels = {"app": space, **labels}
    notes = {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT)}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": labels, "annotations": notes}, "spec": pod_spec(targets)},
    }
    meta = {"name": name, "namespace": space, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def service(space):
    """A Service `app`. It has endpoints; its address leads nowhere, since the node runs no kube-proxy."""
    meta = {"name": "app", "namespace": space}
    spec = {"selector": {"app": space}, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def policy(name, callers=("front", monitoring.LABEL), port=None):
    """Lets pods of namespaces with these `app` labels in, Prometheus among them, on a port or on all."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"app": caller}}} for caller in callers]}
    if port:
        rule["ports"] = [{"port": port, "protocol": "TCP"}]
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}}
    return yaml.safe_dump({**kind, "spec": spec})


GOOD = {name: policy("callers", port=8080) for name in NODE_SERVERS}
# The label is misspelt: nobody but Prometheus gets in.
CUTS_CLIENT = {name: policy("callers", callers=("frnt", monitoring.LABEL)) for name in NODE_SERVERS}


class NodeScene(Scene):
    """One shop on a real node: pods that call each other, and packets that policies stop."""

    servers = NODE_SERVERS

    def __init__(self, node, folder):
        super().__init__(node.plane, folder, node.prometheus_url)
        self.node = node

    def furnish(self):
        """Everything but policies; see `calling`."""
        spaces = (OWN, "front", *self.servers)
        self.node.agent.restored()
        self.node.apply(*(namespace(name) for name in spaces))
        self.node.apply(*(make(name) for name in self.servers for make in (workload, service)))
        self._running(*self.servers)
        targets = [(name, self.address(name)) for name in self.servers]
        self.node.apply(workload("front", targets))
        self._running("front")
        self.repository()

    def clear(self):
        """Take away what a test made and let everything through again; pods stay."""
        freed(self.plane)
        made = "namespacerollouts,policyrollouts,waveanalyses,rolloutapprovals,policysources,leases,events"
        self.plane.run("delete", "-n", OWN, made, "--all", "--ignore-not-found", KUBECTL)
        self.plane.run("delete", "-A", "netpol,jobs", "--all", KUBECTL)
        self.node.agent.restored()

    def first(self):
        return {name: policy("callers") for name in self.servers}

    def address(self, space):
        """Of the workload's pod in a namespace, not of a Job's that bears the same labels."""
        return self.node.addresses(space, "pod-template-hash")[0]

    def ask(self, source, destination, port=PORT, protocol="TCP"):
        """What a connection from one namespace's workload to another's meets; see Node.ask."""
        return self.node.ask(self.address(source), self.address(destination), port, protocol)

    def calling(self):
        """Wait until every server has answered in the last seconds, as Prometheus sees it."""
        query = 'min(sum by (target) (increase(http_client_requests_total{outcome="ok"}[4s])))'
        eventually(lambda: self.value(query) > 8)

    def _running(self, *spaces):
        for name in spaces:
            self.plane.run("rollout", "status", "-n", name, "deployment/app", KUBECTL)
