"""What config/admission refuses, for the API server in memory; tests/cluster holds the two to each other."""

from typing import Any

from orchestrator.ports import Manifest
from orchestrator.rollout.gates.approval_proof import NO_REASON, NOT_IN_THE_GROUP, NOT_THE_USER
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.resources.objects import PROBE_LABEL

PROBE_JOBS = ("netpol-canary-test-", "netpol-canary-hold-")
OWNER_LABEL, LIVE = "netpol-canary.dev/probe-owner", "live_"
JOB_CONTROLLERS = ("system:serviceaccount:kube-system:job-controller", "system:kube-controller-manager")
NOT_A_PROBER = "probe Jobs are made by those alone who may create WaveAnalyses"
NOT_THE_CONTROLLER = (
    "pods of probe Jobs are made by the Job controller alone, and keep their labels and owners"
)
MACHINES = ("system:serviceaccount:", "system:node:", "system:anonymous")


def refusal(obj: Manifest, old: Manifest | None, user: str, groups: tuple[str, ...], rights: set[str]) -> str:
    """Why an object must not be stored by this user; empty where it may be.

    `rights` are those that the policies ask the authorizer for: breakglass, emergency, and write for who may create rollouts.
    """
    if obj["kind"] == "RolloutApproval":
        return _approval(obj["spec"], old, user, groups, rights)
    if obj["kind"] == "PolicyRollout" and old is not None:
        return _rollout(obj, old, user, rights)
    if obj["kind"] in ("Job", "Pod") and (_probes(obj) or (old is not None and _probes(old))):
        return _probe(obj, old, user, rights)
    return ""


def _probes(obj: Manifest) -> bool:
    """Whether it is one of our Jobs, or says that it belongs to one."""
    owners = obj["metadata"].get("ownerReferences") or []
    owned = any(o.get("kind") == "Job" and str(o.get("name")).startswith(PROBE_JOBS) for o in owners)
    return owned or PROBE_LABEL in (obj["metadata"].get("labels") or {})


def _probe(obj: Manifest, old: Manifest | None, user: str, rights: set[str]) -> str:
    """`write` stands for the Job controller, too: in memory the cluster's own user plays it."""
    meta, was = obj["metadata"], (old or {}).get("metadata", {})
    parts = ("labels", "ownerReferences", "annotations")
    unchanged = old is not None and all((meta.get(p) or {}) == (was.get(p) or {}) for p in parts)
    if obj["kind"] == "Job":
        owners = [str((m.get("labels") or {}).get(OWNER_LABEL, "")) for m in (meta, *([was] if old else []))]
        live = all(o.startswith(LIVE) for o in owners)
        return "" if unchanged or live or "write" in rights else NOT_A_PROBER
    if not (unchanged or user in JOB_CONTROLLERS or "write" in rights):
        return NOT_THE_CONTROLLER
    before, after = ((o.get("spec") or {}).get("containers") for o in (old or obj, obj))
    return "" if before == after else "the containers of a probe pod stay as they are"


def _approval(
    spec: dict[str, Any], old: Manifest | None, user: str, groups: tuple[str, ...], rights: set[str]
) -> str:
    if old is not None:
        return "" if spec == old["spec"] else "an approval stays as it was created"
    if spec["user"] != user:
        return NOT_THE_USER
    if not set(spec.get("groups") or ()) <= set(groups):
        return NOT_IN_THE_GROUP
    if spec.get("decision") == "emergency" and not str(spec.get("comment", "")).strip():
        return NO_REASON
    if user.startswith(MACHINES):
        return "approvals are given by people, not by service accounts"
    if spec.get("decision") == "emergency" and "emergency" not in rights:
        return "an emergency takes the right to the verb emergency on rolloutapprovals"
    if spec.get("breakGlass"):
        if spec.get("decision", "approve") != "approve" or not str(spec.get("comment", "")).strip():
            return "spec.breakGlass goes with an approval and a comment that says why"
        if "breakglass" not in rights:
            return "spec.breakGlass takes the right to the verb breakglass on rolloutapprovals"
    return ""


def _rollout(obj: Manifest, old: Manifest, user: str, rights: set[str]) -> str:
    if obj["spec"] != old["spec"]:
        return "the spec of a rollout is frozen at creation"
    before, after = ((o["metadata"].get("annotations") or {}).get(REQUEST, "") for o in (old, obj))
    asked = after.split("/", 2)
    mine = len(asked) == 3 and ("write" in rights if asked[0] == "supersede" else asked[2] == user)
    if after != before and not mine:
        return f"the annotation {REQUEST} is verb/id/user, and the user must be the one who asks"
    parts = ("labels", "finalizers", "ownerReferences")
    if "write" not in rights and any(obj["metadata"].get(p) != old["metadata"].get(p) for p in parts):
        return "labels, finalizers and owners of a rollout are changed by the controller alone"
    return ""
