"""Who the API server calls, and who calls it: it is no pod, and no selector of a policy means it.

Source: admissionregistration.k8s.io (clientConfig.service), apiregistration.k8s.io (spec.service),
apiextensions.k8s.io (spec.conversion.webhook), rbac.authorization.k8s.io (subjects).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.definitions.services import Port, sound
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Fleet, Workload

CALLED_PORT = 443  # of a Service, where the configuration names none
# What an API server listens on: kubeadm and k3s, managed clusters, minikube, microk8s.
OWN_PORTS = (443, 6443, 8443, 16443)
_ADMISSION = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_EVERYBODY = "system:serviceaccounts"


@dataclass(frozen=True)
class Called:
    """Pods that the API server calls; `what` asks for it, `fails` says whether requests fail where it cannot."""

    what: str
    workload: Workload
    ports: frozenset[Port]
    where: str
    fails: bool = True


@dataclass(frozen=True)
class Client:
    """A workload whose ServiceAccount may do something at the API server, and the binding that says so."""

    workload: Workload
    origin: str
    where: str


def called(documents: Sequence[Document], fleet: Fleet) -> list[Called]:
    """Admission and conversion webhooks and aggregated APIs whose Services are among the documents.

    A document of another shape than the API's is left out.
    """
    known = {(s.namespace, s.name): s for s, _ in sound(documents, fleet)}
    found = []
    for document in documents:
        try:
            wanted = list(asked(document.obj))
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        for what, reference, fails in wanted:
            service = known.get((str(reference.get("namespace")), str(reference.get("name"))))
            targets = service.at_pods(reference.get("port", CALLED_PORT)) if service is not None else {}
            for workload, ports in targets.items():
                where = document.where
                found += [Called(what, workload, frozenset(ports), where, fails)] if ports else []
    return list(dict.fromkeys(found))


def clients(documents: Sequence[Document], fleet: Fleet) -> list[Client]:
    """The workloads that a RoleBinding or ClusterRoleBinding among the documents names, by their ServiceAccounts."""
    silent, bound = set(), dict[tuple[str, str], tuple[str, str]]()
    for document in documents:
        obj, where = document.obj, document.where
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            if obj["kind"] == "ServiceAccount" and obj.get("automountServiceAccountToken") is False:
                silent.add((str(obj["metadata"].get("namespace") or "default"), str(obj["metadata"]["name"])))
            for subject in _subjects(obj):
                bound.setdefault(subject, (f"{obj['kind']} {obj['metadata']['name']}", where))
    found = []
    for workload in fleet.workloads:
        space, account = workload.pod.namespace, workload.account
        if not account or (space, account) in silent:
            continue
        origin = next((bound[k] for k in ((space, account), (space, ""), ("", "")) if k in bound), None)
        found += [Client(workload, *origin)] if origin else []
    return found


def server_addresses(fleet: Fleet) -> Iterator[tuple[str, int]]:
    """Addresses and ports of the API server, where the endpoints of default/kubernetes are given."""
    for document in fleet.beside:
        obj, meta = document.obj, document.obj["metadata"]
        if (meta.get("namespace"), meta.get("name")) != ("default", "kubernetes"):
            continue
        sets = obj.get("subsets") or [] if obj["kind"] == "Endpoints" else []
        sets += [obj] if obj["kind"] == "EndpointSlice" else []
        for one in sets:
            for entry in [*(one.get("addresses") or []), *(one.get("endpoints") or [])]:
                for address in [entry["ip"]] if "ip" in entry else entry.get("addresses") or []:
                    yield from (
                        (str(address), int(p["port"])) for p in one.get("ports") or [] if p.get("port")
                    )


def asked(obj: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """What asks, the Service that it names, and whether requests fail without."""
    for what, config, needed in _configs(obj):
        if config.get("service"):
            yield what, dict(config["service"]), needed


def asked_by_url(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What asks by an URL instead of a Service, and the URL."""
    for what, config, _ in _configs(obj):
        if config.get("url"):
            yield what, str(config["url"])


def _configs(obj: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """What asks, where that is said to stand, and whether requests fail without."""
    kind, group = obj["kind"], str(obj["apiVersion"]).partition("/")[0]
    name, spec = obj["metadata"]["name"], obj.get("spec") or {}
    if kind in _ADMISSION and group == "admissionregistration.k8s.io":
        for hook in obj.get("webhooks") or []:
            yield f"{kind} {name}", hook.get("clientConfig") or {}, hook.get("failurePolicy") != "Ignore"
    elif kind == "APIService" and group == "apiregistration.k8s.io":
        yield f"APIService {name}", {"service": spec.get("service")}, True
    elif kind == "CustomResourceDefinition" and group == "apiextensions.k8s.io":
        conversion = spec.get("conversion") or {}
        hook = conversion.get("webhook") or {}
        if conversion.get("strategy") == "Webhook":
            config = hook.get("clientConfig") or conversion.get("webhookClientConfig") or {}
            yield f"conversion webhook of {name}", config, True


def _subjects(obj: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Namespace and name of ServiceAccounts that a binding names; an empty name means all of them."""
    if obj["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
        return
    for subject in obj.get("subjects") or []:
        kind, name = subject.get("kind"), str(subject.get("name"))
        if kind == "ServiceAccount":
            yield str(subject.get("namespace") or obj["metadata"].get("namespace") or "default"), name
        elif kind == "Group" and name == _EVERYBODY:
            yield "", ""
        elif kind == "Group" and name.startswith(f"{_EVERYBODY}:"):
            yield name.removeprefix(f"{_EVERYBODY}:"), ""
