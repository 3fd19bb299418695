"""The Job that tries connections in a workload's place: policies see that workload, nothing else does."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from orchestrator.adapters.probes.job_report import CONTAINER
from orchestrator.adapters.probes.probe_ends import Batch
from orchestrator.ports import Kind, Manifest, Probe
from orchestrator.probe.agent import WORK
from orchestrator.rollout.resources.model import Probing
from orchestrator.rollout.resources.objects import PROBE_LABEL

JOB = Kind("batch/v1", "Job")
OWNER_LABEL = "netpol-canary.dev/probe-owner"
KEY_LABEL = "netpol-canary.dev/probe-key"
MARKS = (PROBE_LABEL, OWNER_LABEL, KEY_LABEL)
PROBES = "netpol-canary.dev/probes"
PROGRAM = "netpol-canary-probe"
LIVE = "live_"  # how the owner of Jobs begins that belong to no rollout; no rollout's name can
NEVER = "netpol-canary.dev/never-ready"
KEPT_SECONDS = {"test": 30, "hold": 300}  # how long a Job stands after its end, should nobody read it
USER = 65532
# Proxies would answer in the destination's place.
NO_MESH_LABELS = {
    "sidecar.istio.io/inject": "false",
    "istio.io/dataplane-mode": "none",
    "kuma.io/sidecar-injection": "disabled",
}
NO_MESH_ANNOTATIONS = {
    "sidecar.istio.io/inject": "false",
    "linkerd.io/inject": "disabled",
    "consul.hashicorp.com/connect-inject": "false",
}
_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def label_value(text: str) -> str:
    """The text itself where it can be a label's value; else its beginning and a hash."""
    if _VALUE.fullmatch(text):
        return text
    short = re.sub(r"[^A-Za-z0-9]+", "-", text)[:46].strip("-")
    return f"{short}-{_hash(text)}".strip("-")


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def job_name(batch: Batch, mode: str, owner: str, key: str = "") -> str:
    """The same for the same work: a run after a crash meets what its predecessor left."""
    return f"netpol-canary-{mode}-{_hash(owner, key, batch.namespace, batch.workload, str(batch.part))}"


def marks(mode: str, owner: str, key: str = "") -> dict[str, str]:
    """The labels by which Jobs and their pods are found again; `mode` is test or hold."""
    found = {PROBE_LABEL: mode, OWNER_LABEL: label_value(owner)}
    return {**found, KEY_LABEL: label_value(key)} if key else found


def selector(labels: Mapping[str, str]) -> str:
    """As a label selector."""
    return ",".join(f"{k}={v}" for k, v in labels.items())


def job(
    batch: Batch, mode: str, image: str, owner: str, key: str, seconds: int, work: Mapping[str, Any]
) -> Manifest:
    """One pod, once, ended after `seconds` from its creation; `work` is what the agent is told besides targets."""
    mine = marks(mode, owner, key)
    told = [
        [p.name, p.source, p.destination, p.port, p.protocol, p.reachable, p.check] for _, p in batch.probes
    ]
    annotations = {PROBES: json.dumps(told, separators=(",", ":"))} if mode == "hold" else {}
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": job_name(batch, mode, owner, key),
            "namespace": batch.namespace,
            "labels": mine,
            "annotations": annotations,
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": KEPT_SECONDS[mode],
            "template": {
                "metadata": {
                    "labels": {**batch.labels, **NO_MESH_LABELS, **mine},
                    "annotations": dict(NO_MESH_ANNOTATIONS),
                },
                "spec": _pod(image, {"mode": mode, **work, "probes": list(batch.targets)}),
            },
        },
    }


def resources(probing: Probing) -> Manifest:
    """What a probe pod may take from its neighbours."""
    return {
        "requests": {"cpu": probing.cpu_request, "memory": probing.memory_request},
        "limits": {"cpu": probing.cpu_limit, "memory": probing.memory_limit},
    }


def _pod(image: str, work: Mapping[str, Any]) -> Manifest:
    """Acceptable to the Pod Security level `restricted`; never Ready, so no Service sends it anything."""
    # The kubelet expands $(NAME) in a value; JSON has another way to write the dollar.
    text = json.dumps(work, separators=(",", ":")).replace("$", "\\u0024")
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "readinessGates": [{"conditionType": NEVER}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": CONTAINER,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": [PROGRAM],
                "env": [{"name": WORK, "value": text}],
                "terminationMessagePolicy": "File",
                "resources": resources(Probing()),
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def bare_pod(made: Mapping[str, Any]) -> Manifest:
    """The pod that a Job's controller would create, to ask the API server what it has against it.

    Without the marks: admission takes a marked pod from the Job controller alone.
    """
    template, meta = made["spec"]["template"], made["metadata"]
    labels = {k: v for k, v in template["metadata"]["labels"].items() if k not in MARKS}
    named = {"name": meta["name"], "namespace": meta["namespace"], "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], **named},
        "spec": template["spec"],
    }


def probes_of(made: Mapping[str, Any]) -> list[Probe]:
    """The probes that a Job holds, as its annotation keeps them; none where that is not to be read."""
    text = (made["metadata"].get("annotations") or {}).get(PROBES, "[]")
    try:
        return [Probe(*row) for row in json.loads(text)]
    except (TypeError, ValueError):
        return []
