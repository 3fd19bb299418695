"""Manifests as people write them: the head of each kind stands here once, for YAML as for objects."""

from orchestrator.rollout.resources.resource import MODELS

CORE = (
    "ConfigMap",
    "Endpoints",
    "Event",
    "List",
    "Namespace",
    "Node",
    "Pod",
    "Secret",
    "Service",
    "ServiceAccount",
)
OWN = (*MODELS, "PolicyTest")
VERSIONS = {
    **dict.fromkeys(CORE, "v1"),
    **dict.fromkeys(("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"), "apps/v1"),
    **dict.fromkeys(("CronJob", "Job"), "batch/v1"),
    **dict.fromkeys(("Ingress", "IngressClass", "NetworkPolicy"), "networking.k8s.io/v1"),
    **dict.fromkeys(("Gateway", "GRPCRoute", "HTTPRoute", "TLSRoute"), "gateway.networking.k8s.io/v1"),
    **dict.fromkeys(("PodMonitor", "Prometheus", "ServiceMonitor"), "monitoring.coreos.com/v1"),
    **dict.fromkeys(("ClusterRoleBinding", "RoleBinding"), "rbac.authorization.k8s.io/v1"),
    **dict.fromkeys(
        ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"), "admissionregistration.k8s.io/v1"
    ),
    **dict.fromkeys(OWN, "netpol-canary.dev/v1alpha1"),
    **dict.fromkeys(
        ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"), "policy.networking.k8s.io/v1alpha1"
    ),
    "APIService": "apiregistration.k8s.io/v1",
    "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Rollout": "argoproj.io/v1alpha1",
    "Route": "route.openshift.io/v1",
}


def written(kind, place, spec="", about="", version="", **fields):
    """The YAML of the object at `namespace/name`, or at a name alone; texts of several can be joined.

    `spec` and the other fields are YAML of one line, `about` is what the metadata hold besides.
    """
    space, _, name = place.rpartition("/")
    metadata = ", ".join(filter(None, (f"name: {name}", space and f"namespace: {space}", about)))
    parts = {**({"spec": spec} if spec else {}), **fields}
    lines = "".join(f"{field}: {text}\n" for field, text in parts.items())
    return f"---\napiVersion: {version or VERSIONS[kind]}\nkind: {kind}\nmetadata: {{{metadata}}}\n{lines}"


def policy(place, spec):
    """A NetworkPolicy."""
    return written("NetworkPolicy", place, spec)


def pod(place, container="", more="", **fields):
    """A Pod whose label `app` is its name; `container` is more of its one container, `more` of its spec."""
    name = place.rpartition("/")[2]
    return written("Pod", place, _body(name, container, more), f"labels: {{app: {name}}}", **fields)


def deployed(place, container="", more="", kind="Deployment"):
    """A workload of such pods."""
    name = place.rpartition("/")[2]
    return written(kind, place, pods(f"{{app: {name}}}", _body(name, container, more)))


def _body(name, container, more):
    inner = ", ".join(filter(None, ("name: c", f"image: {name}", container)))
    return f"{{{', '.join(filter(None, (more, f'containers: [{{{inner}}}]')))}}}"


def pods(labels, spec):
    """The spec of a workload that selects its pods by all of their labels."""
    return (
        f"{{selector: {{matchLabels: {labels}}}, template: {{metadata: {{labels: {labels}}}, spec: {spec}}}}}"
    )


def plain(kind, place, spec=None, labels=None, about=(), version="", **fields):
    """The same as an object."""
    space, _, name = place.rpartition("/")
    metadata = {"name": name, **({"namespace": space} if space else {})}
    metadata |= {**({} if labels is None else {"labels": labels}), **dict(about)}
    parts = {**({} if spec is None else {"spec": spec}), **fields}
    return {"apiVersion": version or VERSIONS[kind], "kind": kind, "metadata": metadata, **parts}
