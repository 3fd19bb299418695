"""Secrets and ConfigMaps that may hold addresses and are not read: named, since nothing is opened for what they say."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from orchestrator.policy.definitions.needed import Note
from orchestrator.policy.objects.pod_templates import containers
from orchestrator.policy.workloads.fleet import Workload
from orchestrator.wording import few

HOST_KEY = re.compile(
    r"(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|URL|URI|SERVICE|ENDPOINT|UPSTREAM|BROKER|PEER|SEED)(E?S)?$", re.I
)
MOST_LISTED = 5
_GIVEN_TO_ALL = ("kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert")  # in each namespace
_CERTIFICATES = re.compile(r"tls|cert|token|(^|-)ca(-|$)")


def secrets(spec: Mapping[str, Any], workload: Workload) -> Iterator[Note]:
    """Secrets that may hold addresses: what they say is not read."""
    for container in containers(spec):
        names = {
            str(((e.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name", ""))
            for e in container.get("env") or []
            if HOST_KEY.search(str(e.get("name")))
            or "DSN" in str(e.get("name"))
            or "CONN" in str(e.get("name"))
        }
        names |= {str((e.get("secretRef") or {}).get("name", "")) for e in container.get("envFrom") or []}
        for name in sorted(names - {""}):
            text = "what it may name is not read, and nothing is opened for it; recorded --flows show it"
            yield Note(f"{workload.name} takes addresses from Secret {name}: {text}")
    mounted = {str((v.get("secret") or {}).get("secretName", "")) for v in spec.get("volumes") or []}
    if listed := _listed("Secret", (n for n in mounted if n and not _CERTIFICATES.search(n))):
        text = "an address in there is not read, and nothing is opened for it; recorded --flows show it"
        yield Note(f"{workload.name} mounts {listed}: {text}")


def absent(spec: Mapping[str, Any], workload: Workload, maps: Container[tuple[str, str]]) -> Iterator[Note]:
    """ConfigMaps that may hold addresses and are not here."""
    used = {
        str(((e.get("valueFrom") or {}).get("configMapKeyRef") or {}).get("name", ""))
        for c in containers(spec)
        for e in c.get("env") or []
    }
    gone = (
        n
        for n in {*used, *config_maps(spec)} - {"", *_GIVEN_TO_ALL}
        if (workload.pod.namespace, n) not in maps
    )
    if listed := _listed("ConfigMap", gone):
        text = "not among these manifests: an address in there is not known, and nothing is opened for it"
        yield Note(f"{workload.name} reads {listed}, {text}")


def of_the_node(spec: Mapping[str, Any], workload: Workload) -> Iterator[Note]:
    """Hosts that are the pod's own node, such as that of an agent there: at which port is not known."""
    named = {
        str(e.get("name"))
        for c in containers(spec)
        for e in c.get("env") or []
        if ((e.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath") == "status.hostIP"
    }
    if hosts := sorted(n for n in named if HOST_KEY.search(n)):
        text = f"{workload.name} calls its own node by {', '.join(hosts[:MOST_LISTED])} (status.hostIP)"
        yield Note(
            text, "nothing is opened for it, since the port there is not known; recorded --flows show it"
        )


def config_maps(spec: Mapping[str, Any]) -> list[str]:
    """The ConfigMaps that a pod has as a whole, by `envFrom` and volumes, in their order."""
    found = [
        str((e.get("configMapRef") or {}).get("name", ""))
        for c in containers(spec)
        for e in c.get("envFrom") or []
    ]
    return list(dict.fromkeys([*found, *mounted(spec)]))


def mounted(spec: Mapping[str, Any]) -> list[str]:
    """The ConfigMaps that a pod has as files, in their order."""
    found = []
    for volume in spec.get("volumes") or []:
        for part in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            found.append((part.get("configMap") or {}).get("name", ""))
    return [str(name) for name in dict.fromkeys(found)]


def _listed(kind: str, names: Iterable[str]) -> str:
    """`ConfigMaps one, two and 3 more`; empty where there is none."""
    found = sorted(names)
    return f"{kind}{'s' if len(found) > 1 else ''} {few(found, MOST_LISTED)}" if found else ""
