"""Which pod serves the pages, and by which port: the Service says it, as it does to everybody who asks it by its address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.adapters.probes.probe_ends import ready
from orchestrator.errors import NotFound, PortError, Refused
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.wording import many

SERVICE, POD = Kind("v1", "Service"), Kind("v1", "Pod")


@dataclass(frozen=True)
class PagesPod:
    """A pod that is ready, and the port of its pages."""

    name: str
    port: int


def pages_pods(cluster: Cluster, namespace: str, service: str) -> list[PagesPod]:
    """The pods behind a Service that are ready. Raises NotFound, Refused, PortError."""
    try:
        spec = cluster.get(SERVICE, service, namespace)["spec"]
    except NotFound:
        text = f"there is no Service {service} in the namespace {namespace}"
        raise NotFound(
            f"{text}; -n names another one, and `netpol-canary install` installs it", 404
        ) from None
    if not spec.get("selector"):
        raise Refused(f"the Service {namespace}/{service} selects no pods")
    labels = ",".join(f"{key}={value}" for key, value in sorted(spec["selector"].items()))
    pods = cluster.list(POD, namespace, labels)
    target = _wanted(spec.get("ports") or [])
    found = [
        PagesPod(pod["metadata"]["name"], port)
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"] and ready(pod) and (port := _port(pod, target))
    ]
    if not found:
        states = ", ".join(f"{pod['metadata']['name']} is {_state(pod)}" for pod in pods[:3])
        said = f"{many(len(pods), 'pod')}: {states}" if pods else "it has no pods"
        raise PortError(f"no pod of the Service {namespace}/{service} is ready; {said}")
    return found


def _wanted(ports: Sequence[dict[str, Any]]) -> Any:
    """What the Service's port is called or numbered in its pods: `http`, or the first."""
    port = next((p for p in ports if p.get("name") == "http"), ports[0] if ports else {})
    return port.get("targetPort") or port.get("port") or "http"


def _port(pod: Manifest, target: Any) -> int:
    if isinstance(target, int):
        return target
    containers = pod["spec"].get("containers") or []
    named = (p for c in containers for p in c.get("ports") or [] if p.get("name") == target)
    return next((int(p["containerPort"]) for p in named), 0)


def _state(pod: Manifest) -> str:
    phase = str((pod.get("status") or {}).get("phase", "Unknown"))
    return "not ready" if phase == "Running" else phase
