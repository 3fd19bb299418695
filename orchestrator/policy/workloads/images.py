"""What a workload's containers run: the repositories of their images, and their command lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.objects.pod_templates import template_of
from orchestrator.policy.workloads.fleet import Workload


def images(workload: Workload) -> list[str]:
    """The repositories, such as `registry.k8s.io/ingress-nginx/controller`, without tag and digest."""
    found = []
    for container in _containers(workload):
        path, slash, last = str(container.get("image") or "").partition("@")[0].lower().rpartition("/")
        found.append(f"{path}{slash}{last.partition(':')[0]}")
    return found


def arguments(workload: Workload) -> list[str]:
    """Commands and arguments of all containers, in their order."""
    return [
        str(text)
        for container in _containers(workload)
        for part in ("command", "args")
        if isinstance(container.get(part), list)
        for text in container[part]
    ]


def among(found: Sequence[str], repositories: Sequence[str]) -> bool:
    """Whether any of some images is one of these, each given by the last parts of its name."""
    return any(image == r or image.endswith(f"/{r}") for image in found for r in repositories)


def variables(workload: Workload) -> list[tuple[str, str]]:
    """The names and values of the environment of all containers."""
    return [
        (str(entry.get("name")), str(entry["value"]))
        for container in _containers(workload)
        if isinstance(container.get("env"), list)
        for entry in container["env"]
        if isinstance(entry, Mapping) and entry.get("value") is not None
    ]


def _containers(workload: Workload) -> Iterator[Mapping[str, Any]]:
    template = template_of(workload.obj) if workload.obj else None
    spec = (template or {}).get("spec")
    given = spec.get("containers") if isinstance(spec, Mapping) else None
    yield from (c for c in (given if isinstance(given, list) else ()) if isinstance(c, Mapping))
