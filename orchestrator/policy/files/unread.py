"""What a command met and did not take into account, with what it may mean."""

from collections.abc import Mapping
from typing import Any

RUNS_PODS = "a controller may run pods for it, which are not known here"
# Policies of other APIs: named in every answer, since they may decide otherwise.
OTHER_GROUPS = (
    "cilium.io/",
    "projectcalico.org/",
    "crd.projectcalico.org/",
    "crd.antrea.io/",
    "policy.networking.k8s.io/",
    "security.istio.io/",
    "policy.linkerd.io/",
    "k8s.ovn.org/",
    "networking.k8s.aws/",
)
ENTRANCES = frozenset(
    {
        "Gateway", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "Route", "VirtualService", "IngressRoute",
        "IngressRouteTCP", "IngressRouteUDP", "HTTPProxy", "TCPIngress", "UDPIngress", "TransportServer", "VirtualServer",
        "Mapping", "TCPMapping",
    }
)  # fmt: skip
# These are read like an Ingress, where entrances are asked for; each with its API groups.
READ_ENTRANCES = {
    **dict.fromkeys(
        ("Gateway", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"),
        ("gateway.networking.k8s.io",),
    ),
    **dict.fromkeys(
        ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP"), ("traefik.io", "traefik.containo.us")
    ),
    "Route": ("route.openshift.io",),
    "VirtualService": ("networking.istio.io",),
    "HTTPProxy": ("projectcontour.io",),
}
# These name hosts or machines outside of the cluster, or in others.
_OUTSIDE = frozenset({"ServiceEntry", "WorkloadEntry", "WorkloadGroup"})
# These say nothing about who connects to whom.
QUIET_GROUPS = (
    "netpol-canary.dev/", "rbac.authorization.k8s.io/", "storage.k8s.io/", "scheduling.k8s.io/", "autoscaling/", "policy/",
    "node.k8s.io/", "coordination.k8s.io/", "certificates.k8s.io/", "apiextensions.k8s.io/", "events.k8s.io/",
    "admissionregistration.k8s.io/", "apiregistration.k8s.io/", "discovery.k8s.io/", "flowcontrol.apiserver.k8s.io/",
    "resource.k8s.io/", "metrics.k8s.io/", "kustomize.config.k8s.io/", "kustomize.toolkit.fluxcd.io/",
    "source.toolkit.fluxcd.io/", "cert-manager.io/", "external-secrets.io/", "bitnami.com/", "snapshot.storage.k8s.io/",
    "keda.sh/", "kyverno.io/", "wgpolicyk8s.io/", "networking.istio.io/", "telemetry.istio.io/", "extensions.istio.io/", "traefik.io/",
    "traefik.containo.us/", "configuration.konghq.com/", "gateway.envoyproxy.io/", "gateway.networking.k8s.io/",
    "cloud.google.com/", "networking.gke.io/", "elbv2.k8s.aws/", "k8s.nginx.org/", "linkerd.io/",
)  # fmt: skip
QUIET = frozenset(
    {
        "Service", "Endpoints", "Ingress", "IngressClass", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolume",
        "PersistentVolumeClaim", "LimitRange", "ResourceQuota", "Event", "Node", "ControllerRevision", "PodTemplate",
        "Kustomization", "Component", "ServiceMonitor", "PodMonitor", "PrometheusRule", "GatewayClass", "ReferenceGrant",
        "VirtualMachineInstance", "Lease", "Namespace", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun",
        "Experiment", "ScrapeConfig", "Probe", "VMServiceScrape", "VMPodScrape", "VMStaticScrape", "VMScrapeConfig", "VMNodeScrape",
        "VMProbe", "VMRule", "ExtensionService", "TLSCertificateDelegation", "ContourConfiguration",
    }
)  # fmt: skip


def meaning(obj: Mapping[str, Any]) -> str:
    """What it may mean that an object was not read; empty for one that says nothing about connections."""
    kind, version = str(obj["kind"]), str(obj["apiVersion"])
    if kind == "NetworkPolicy" and version != "networking.k8s.io/v1" and not version.startswith(OTHER_GROUPS):
        return "policies are read as networking.k8s.io/v1 alone; what this one isolates and opens is not known here"
    if version.startswith(OTHER_GROUPS) or kind.endswith("NetworkPolicy"):
        speaks = ("Polic" in kind or "Auth" in kind) and not kind.endswith("Endpoint")
        speaks = speaks and not kind.startswith("Staged")  # those enforce nothing
        return "another policy API, which may decide otherwise" if speaks else ""
    if kind == "Rollout" and (obj.get("spec") or {}).get("workloadRef"):
        return "the workload that its workloadRef names is not here, so that its pods are not known"
    if version.partition("/")[0] in READ_ENTRANCES.get(kind, ()):
        return ""
    if version.startswith("networking.istio.io/") and kind in ("Gateway", *_OUTSIDE):
        return "hosts and machines outside, which are not opened for it" if kind in _OUTSIDE else ""
    if kind in ENTRANCES:
        return "an entrance of a kind that is not read; whom it lets in is not worked out"
    if kind in QUIET or version.startswith(QUIET_GROUPS):
        return ""
    if version == "v1" or "." not in version.partition("/")[0]:
        return ""
    return RUNS_PODS
