"""The pods from which connections come for an Ingress, by its class, and for a Gateway."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.needed import Note, Platform, space_of, standing
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Workload

# Balancers outside the cluster that connect to pods themselves.
BALANCERS = ("alb", "gce", "gke", "azure", "gateway.k8s.aws", "application-gateway")
# Controllers whose proxies for a Gateway are those for Ingresses; others run some for each Gateway, beside it.
OF_GATEWAYS = ("traefik", "haproxy", "kong", "contour", "envoy", "ambassador", "openshift")


def class_of(ingress: Mapping[str, Any]) -> str:
    """The class that an Ingress says, by its field or by the annotation of old; empty for the default one."""
    given = (ingress["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class", "")
    return str((ingress.get("spec") or {}).get("ingressClassName") or given)


def fronts(known: Controllers, kind: str, origin: str, sort: str = "") -> Iterator[Workload | str | Note]:
    """The pods of an Ingress's or Gateway's controller by its class: what stands here, else where it usually does.

    `sort` is that of the controllers which alone serve it, whatever its class is called.
    """
    word, space = "" if sort else known.described(kind).lower(), known.platform.ingress
    if "cilium" in word:
        yield Note(
            f"{origin} comes through Cilium's own proxy, which no NetworkPolicy names",
            "not opened; a CiliumNetworkPolicy with fromEntities: [ingress] does",
        )
        return
    mine = known.serving(kind, sort)
    if any(b in word for b in BALANCERS) and not any(known.kinds(kind)):
        yield "internet"
        return
    if space != Platform().ingress:
        mine = [w for w in mine if w.pod.namespace == space] or (
            mine if not known.fleet.within(space) else []
        )
    if mine and not sort and known.guessed(kind):
        names = ", ".join(sorted(w.name for w in mine)[:3])
        text = (
            f"{origin}: nothing here says which controller serves{_of_class(known, kind).removeprefix(' of')}"
        )
        yield Note(text, f"{names} is taken for it; an IngressClass says it, or --ingress-namespace")
    usual = next((k.space for k in known.kinds(kind, sort)), space)
    given = known.fleet.within(space) and not (sort and space == Platform().ingress)
    found = mine or standing(known.fleet, space if given else usual)
    for end in found:
        if isinstance(end, str):
            text = f"{origin}: its controller{_of_class(known, kind, sort)} is not here, and is taken to stand in {end}"
            yield Note(text, "opened to that; --ingress-namespace names another")
        yield end


def _of_class(known: Controllers, kind: str, sort: str = "") -> str:
    word = kind if sort else known.described(kind)
    return f" of the class {word}" if word else ""


def proxies_of(
    documents: Sequence[Document], known: Controllers, key: tuple[str, str], origin: str
) -> Iterator[Workload | str | Note]:
    """The proxies of a Gateway: by the labels that controllers give them, else by its class."""
    space, name = key
    labels = (
        {"gateway.networking.k8s.io/gateway-name": name},
        {"gateway.envoyproxy.io/owning-gateway-name": name},
    )
    here = [
        w
        for w in known.fleet.workloads
        if any(set(own.items()) <= set(w.pod.labels.items()) for own in labels)
    ]
    if here or known.platform.gateways:
        yield from here or standing(known.fleet, known.platform.gateways)
        return
    kinds = [
        (d.obj["kind"], d.obj["metadata"]["name"], d.obj)
        for d in documents
        if d.obj["kind"] in ("Gateway", "GatewayClass")
    ]
    gateway = next((o for k, n, o in kinds if k == "Gateway" and n == name and space_of(o) == space), {})
    word = str((gateway.get("spec") or {}).get("gatewayClassName", ""))
    controller = next((o for k, n, o in kinds if k == "GatewayClass" and n == word), {})
    word = f"{word} {(controller.get('spec') or {}).get('controllerName', '')}".lower()
    if any(w in word for w in (*OF_GATEWAYS, *BALANCERS, "cilium")):
        yield from fronts(known, word, origin)
        return
    text = f"{origin}: the proxies of Gateway {space}/{name} are not here, and are taken to stand in namespace {space}"
    yield Note(text, "opened to that; --gateway-namespace names another")
    yield f"namespace {space}"
