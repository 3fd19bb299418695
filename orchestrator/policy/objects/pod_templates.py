"""Where each kind keeps the template of its pods, those of other controllers included."""

from collections.abc import Iterable, Mapping
from typing import Any

Template = Mapping[str, Any]
TEMPLATED = (
    "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout", "DeploymentConfig",
)  # fmt: skip
MACHINES = (
    "VirtualMachine",
    "VirtualMachineInstanceReplicaSet",
)  # KubeVirt: their pods carry the template's labels


def template_of(obj: Mapping[str, Any]) -> Template | None:
    """The template of an object's pods, a Pod itself; None where it has none.

    A kind that is not known counts where its `spec.template` is that of a pod, such as CloneSet or Knative's Service.
    """
    kind, spec = obj["kind"], obj.get("spec") or {}
    if kind in ("Pod", "VirtualMachineInstance"):
        return obj
    if not isinstance(spec, Mapping) and kind not in TEMPLATED:
        return None
    if kind == "CronJob":
        found: Template = spec["jobTemplate"]["spec"]["template"]
        return found
    template = spec.get("template")
    if kind == "Rollout" and template is None:
        return None  # it names another workload's: see referred
    if kind in TEMPLATED and not (kind == "DeploymentConfig" and template is None):
        template = spec["template"]
        return template if isinstance(template, Mapping) else {}
    return template if _is_of_pods(template, kind) else None


def labels_of(obj: Mapping[str, Any], template: Template) -> dict[str, str]:
    """The labels of an object's pods, with those that the controllers of virtual machines and Knative add and keep."""
    labels = {str(k): str(v) for k, v in ((template.get("metadata") or {}).get("labels") or {}).items()}
    if str(obj["apiVersion"]).startswith("serving.knative.dev/") and obj["kind"] == "Service":
        labels.setdefault("serving.knative.dev/service", str(obj["metadata"]["name"]))
    if obj["kind"] in ("VirtualMachine", "VirtualMachineInstance"):
        labels.setdefault("vm.kubevirt.io/name", str(obj["metadata"]["name"]))
    return labels


def selector_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """The labels by which a workload finds its own pods; empty where it says none, or more than labels."""
    selector = (obj.get("spec") or {}).get("selector") or {}
    if not isinstance(selector, Mapping) or obj["kind"] in ("Job", "CronJob", "Pod", "PersistentVolumeClaim"):
        return {}
    if "matchLabels" in selector or "matchExpressions" in selector:
        if selector.get("matchExpressions"):
            return {}
        selector = selector.get("matchLabels") or {}
    return {str(k): str(v) for k, v in selector.items() if isinstance(v, str)}


def referred(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Workloads by kind, namespace and name, for Rollouts that take over the template of another one."""
    return {
        (o["kind"], str(o["metadata"].get("namespace") or "default"), str(o["metadata"].get("name"))): o
        for o in objects
        if o["kind"] in TEMPLATED and o["kind"] != "Rollout"
    }


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those of a pod's spec, the ones that run before the others included."""
    return [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]


def with_template(
    obj: Mapping[str, Any], known: Mapping[tuple[str, str, str], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """An Argo Rollout with the template and selector of its `workloadRef`; anything else, and one without it, as it is."""
    spec = obj.get("spec") or {}
    if obj["kind"] != "Rollout" or spec.get("template") or not spec.get("workloadRef"):
        return obj
    reference = spec["workloadRef"]
    space = str(obj["metadata"].get("namespace") or "default")
    other = known.get((str(reference.get("kind")), space, str(reference.get("name"))))
    if other is None:
        return obj
    taken = other.get("spec") or {}
    return {**obj, "spec": {"selector": taken.get("selector"), **spec, "template": taken.get("template")}}


def _is_of_pods(template: Any, kind: str) -> bool:
    if not isinstance(template, Mapping):
        return False
    spec = template.get("spec")
    if kind in MACHINES:
        return isinstance(spec, Mapping)
    containers = spec.get("containers") if isinstance(spec, Mapping) else None
    return (
        isinstance(containers, list) and all(isinstance(c, Mapping) for c in containers) and bool(containers)
    )
