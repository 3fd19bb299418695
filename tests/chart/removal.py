"""What Helm runs before it uninstalls: a Job that refuses while something is not restored, and the one right it takes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from chart.fields import pulled, ran
from chart.holes import Holes, block
from orchestrator.adapters.kube.bundle import Manifest
from orchestrator.context import ROLLOUT

NAME, SPACE = "netpol-canary-uninstall", "netpol-canary"
RBAC = "rbac.authorization.k8s.io"
SECONDS = 120  # of one try, pulling the image included; Helm waits for 300


def hooks(archive: Manifest, holes: Holes) -> list[Manifest]:
    """`archive` is the CronJob of config/archive, whose pod this one is but for what it runs."""
    spec = deepcopy(archive["spec"]["jobTemplate"]["spec"]["template"]["spec"])
    (container,) = spec["containers"]
    kept = [v for v in spec["volumes"] if "persistentVolumeClaim" not in v]
    names = {v["name"] for v in kept}
    container |= {
        "name": "check",
        "args": ["uninstall", "--check"],
        "volumeMounts": [m for m in container["volumeMounts"] if m["name"] in names],
    }
    del spec["securityContext"]["fsGroup"]
    spec |= {"serviceAccountName": NAME, "volumes": kept}
    pulled(holes, spec)
    ran(holes, container)
    for key in ("nodeSelector", "tolerations"):
        holes.put(spec, key, *block(key, f".Values.controller.{key}"))
    template = {"metadata": {"labels": {"app.kubernetes.io/name": NAME}}, "spec": spec}
    job = {"backoffLimit": 1, "activeDeadlineSeconds": SECONDS, "template": template}
    rule = {
        "apiGroups": [ROLLOUT.api_version.split("/")[0]],
        "resources": ["policyrollouts"],
        "verbs": ["list"],
    }
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": SPACE}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": NAME}
    return [
        _hook("v1", "ServiceAccount", space=True),
        _hook(f"{RBAC}/v1", "ClusterRole", rules=[rule]),
        _hook(f"{RBAC}/v1", "ClusterRoleBinding", roleRef=role, subjects=[subject]),
        _hook("batch/v1", "Job", space=True, weight="0", log=True, spec=job),
    ]


def _hook(
    version: str, kind: str, space: bool = False, weight: str = "-1", log: bool = False, **more: Any
) -> Manifest:
    said = {
        "helm.sh/hook": "pre-delete",
        "helm.sh/hook-weight": weight,
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    if log:
        said["helm.sh/hook-output-log-policy"] = "hook-failed"
    meta = {"name": NAME, **({"namespace": SPACE} if space else {}), "annotations": said}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}
