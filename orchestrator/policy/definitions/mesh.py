"""What a service mesh needs: its proxies' way to the control plane, the ports between proxies, and the injector's webhook.

Sources: the ports that Istio ("Application Requirements"), Linkerd ("Proxy configuration"), Kuma and Consul document.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.definitions.needed import API_SERVER, Edge, Found, Note, Port, at_pod
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.pod_templates import containers, template_of
from orchestrator.policy.workloads.fleet import Fleet, Workload

PROBES = "169.254.7.127"


@dataclass(frozen=True)
class Component:
    """A part of a control plane by a label of its pods; where proxies reach it, and where the API server does."""

    label: tuple[str, str]
    ports: frozenset[Port] = frozenset()
    webhook: frozenset[Port] = frozenset()


@dataclass(frozen=True)
class Mesh:
    """A mesh; `between` are ports at which proxies reach each other, beside those of the workloads."""

    name: str
    space: str
    components: tuple[Component, ...]
    between: frozenset[Port] = frozenset()


def _tcp(*numbers: int) -> frozenset[Port]:
    return frozenset(("TCP", n) for n in numbers)


_LINKERD = "linkerd.io/control-plane-component"
ISTIO = Mesh("Istio", "istio-system", (Component(("app", "istiod"), _tcp(15012), _tcp(15017)),))
AMBIENT = Mesh("Istio's ambient mode", "istio-system", (), _tcp(15008))
MESHES = {
    "istio": ISTIO,
    "ambient": AMBIENT,
    "linkerd": Mesh(
        "Linkerd",
        "linkerd",
        (
            Component((_LINKERD, "destination"), _tcp(8086, 8090), _tcp(8443, 9443)),
            Component((_LINKERD, "identity"), _tcp(8080)),
            Component((_LINKERD, "proxy-injector"), webhook=_tcp(8443)),
        ),
        _tcp(4143),
    ),
    "kuma": Mesh("Kuma", "kuma-system", (Component(("app", "kuma-control-plane"), _tcp(5678), _tcp(5443)),)),
    "consul": Mesh("Consul", "consul", (Component(("component", "server"), _tcp(8501, 8502)),), _tcp(20000)),
}
# Others that are asked for by such a key on a namespace or a pod: only named.
OTHERS = {
    "openservicemesh.io/sidecar-injection": "Open Service Mesh",
    "appmesh.k8s.aws/sidecarInjectorWebhook": "AWS App Mesh",
    "injector.nsm.nginx.com/auto-inject": "NGINX Service Mesh",
    "mesh.traefik.io/traffic-type": "Traefik Mesh",
}
_YES = ("enabled", "true", "ingress", "yes")


@dataclass(frozen=True)
class Member:
    """A workload whose pods are in a mesh, and what says so."""

    workload: Workload
    mesh: Mesh
    origin: str


def members(documents: Sequence[Document], fleet: Fleet) -> list[Member]:
    """The workloads of meshes that are known."""
    spaces = _spaces(documents, fleet)
    found = []
    for workload in fleet.workloads:
        asked = (
            None if workload.pod.host_network else _asked(workload, spaces.get(workload.pod.namespace, {}))
        )
        if asked and asked[0] in MESHES:
            found.append(Member(workload, MESHES[asked[0]], asked[1]))
    return found


def mesh_needs(documents: Sequence[Document], fleet: Fleet, edges: Sequence[Edge]) -> Iterator[Found]:
    """The ways of meshes; `edges` are the connections of the workloads themselves."""
    known = {m.workload.name: m for m in members(documents, fleet)}
    for member in known.values():
        yield from _to_control(member, fleet)
        if member.mesh == AMBIENT and (probed := _probed(member.workload)):
            yield Edge(
                PROBES,
                member.workload,
                probed,
                "the kubelet's probes come from there in Istio's ambient mode",
            )
    for edge in edges:
        ends = [known.get(e.name) if isinstance(e, Workload) else None for e in (edge.src, edge.dst)]
        one, other = ends
        if one and other and one.mesh == other.mesh and one.mesh.between:
            text = f"proxies of {one.mesh.name} reach each other there for {edge.origin}"
            yield Edge(edge.src, edge.dst, one.mesh.between, text)
        if other and other.mesh == ISTIO and edge.origin.startswith("annotation prometheus.io"):
            yield Edge(edge.src, edge.dst, _tcp(15020), f"the proxy serves the metrics of {edge.origin}")
    for mesh in MESHES.values():
        yield from _webhooks(mesh, fleet)
    yield from _unknown(documents, fleet)


def _probed(workload: Workload) -> frozenset[Port]:
    return frozenset(p for port in workload.probed for p in at_pod(workload.pod, port, "TCP"))


def control_plane(mesh: Mesh, fleet: Fleet) -> list[tuple[Workload, Component]]:
    """The workloads that are parts of a mesh's control plane."""
    return [
        (w, c)
        for c in mesh.components
        for w in fleet.workloads
        if w.pod.labels.get(c.label[0]) == c.label[1]
        and (mesh.name != "Consul" or "consul" in w.pod.labels.values())
    ]


def _to_control(member: Member, fleet: Fleet) -> Iterator[Found]:
    mesh, workload = member.mesh, member.workload
    parts = control_plane(mesh, fleet)
    wanted = frozenset(p for c in mesh.components for p in c.ports)
    if any(w.name == workload.name for w, _ in parts) or not wanted:
        return
    origin = f"the proxy's way to {mesh.name}'s control plane ({member.origin})"
    for other, component in parts:
        if component.ports:
            yield Edge(workload, other, component.ports, origin)
    if not parts:
        yield Edge(workload, f"namespace {mesh.space}", wanted, origin)
        yield Note(
            f"{mesh.name}'s control plane is not among these manifests: its proxies' way is opened to namespace {mesh.space}; "
            "correct that where it stands elsewhere"
        )


def _webhooks(mesh: Mesh, fleet: Fleet) -> Iterator[Edge]:
    for workload, component in control_plane(mesh, fleet):
        if component.webhook:
            yield Edge(
                API_SERVER, workload, component.webhook, f"the API server calls {mesh.name}'s webhooks"
            )
        yield Edge(workload, API_SERVER, frozenset(), f"{mesh.name}'s control plane watches the API server")


def _unknown(documents: Sequence[Document], fleet: Fleet) -> Iterator[Note]:
    spaces = _spaces(documents, fleet)
    for workload in fleet.workloads:
        own = {**spaces.get(workload.pod.namespace, {}), **workload.pod.labels, **_annotations(workload)}
        for key, name in OTHERS.items():
            if own.get(key, "").lower() not in ("", "disabled", "false"):
                yield Note(
                    f"namespace {workload.pod.namespace} is in a mesh, {name}, whose proxies' ways are not known here and not "
                    "opened: give recorded --flows"
                )


def _asked(workload: Workload, space: Mapping[str, str]) -> tuple[str, str] | None:
    """The mesh that a workload is in, and what says so: its own labels and annotations go before its namespace's."""
    pod = {**_annotations(workload), **workload.pod.labels}
    containers = _containers(workload)
    mode = pod.get("istio.io/dataplane-mode", space.get("istio.io/dataplane-mode"))
    inject = pod.get("sidecar.istio.io/inject", "").lower()
    if inject == "true" or "istio-proxy" in containers or "inject.istio.io/templates" in pod:
        return "istio", "the pod asks for its proxy"
    if inject != "false" and space.get("istio-injection") == "enabled":
        return "istio", "namespace label istio-injection=enabled"
    revision = pod.get("istio.io/rev") or space.get("istio.io/rev")
    if inject != "false" and revision and space.get("istio-injection") != "disabled" and mode != "ambient":
        return "istio", f"label istio.io/rev={revision}"
    if mode == "ambient":
        return "ambient", "label istio.io/dataplane-mode=ambient"
    for mesh, key, container in (
        ("linkerd", "linkerd.io/inject", "linkerd-proxy"),
        ("kuma", "kuma.io/sidecar-injection", "kuma-sidecar"),
        ("consul", "consul.hashicorp.com/connect-inject", "consul-dataplane"),
    ):
        value = pod.get(key, space.get(key, "")).lower()
        if value in _YES or container in containers:
            return mesh, f"{key}={value}" if value else f"container {container}"
    return None


def _spaces(documents: Sequence[Document], fleet: Fleet) -> dict[str, dict[str, str]]:
    """Labels and annotations of namespaces, as one."""
    found = {name: {str(k): str(v) for k, v in labels.items()} for name, labels in fleet.namespaces.items()}
    for document in documents:
        meta: Mapping[str, Any] = document.obj["metadata"]
        if document.obj["kind"] == "Namespace":
            own = found.setdefault(str(meta["name"]), {})
            own.update({str(k): str(v) for k, v in (meta.get("annotations") or {}).items()})
    return found


def _annotations(workload: Workload) -> dict[str, str]:
    template = template_of(workload.obj) if workload.obj else None
    meta = (template or {}).get("metadata") or {}
    return {str(k): str(v) for k, v in (meta.get("annotations") or {}).items()}


def _containers(workload: Workload) -> set[str]:
    template = template_of(workload.obj) if workload.obj else None
    spec = (template or {}).get("spec") or {}
    return {str(c.get("name")) for c in containers(spec)}
