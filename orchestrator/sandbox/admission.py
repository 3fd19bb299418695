"""What config/admission refuses, for the API server in memory; tests/cluster holds the two to each other."""

from __future__ import annotations

from typing import Any

from orchestrator.ports import Manifest
from orchestrator.rollout.next import REQUEST
from orchestrator.rollout.vouching import NOT_IN_THE_GROUP, NOT_THE_USER

MACHINES = ("system:serviceaccount:", "system:node:", "system:anonymous")


def refusal(obj: Manifest, old: Manifest | None, user: str, groups: tuple[str, ...], rights: set[str]) -> str:
    """Why an object must not be stored by this user; empty where it may be.

    `rights` are those that the policies ask the authorizer for: breakglass, and write for who may create rollouts.
    """
    if obj["kind"] == "RolloutApproval":
        return _approval(obj["spec"], old, user, groups, rights)
    if obj["kind"] == "PolicyRollout" and old is not None:
        return _rollout(obj, old, user, rights)
    return ""


def _approval(
    spec: dict[str, Any], old: Manifest | None, user: str, groups: tuple[str, ...], rights: set[str]
) -> str:
    if old is not None:
        return "" if spec == old["spec"] else "an approval stays as it was created"
    if spec["user"] != user:
        return NOT_THE_USER
    if not set(spec.get("groups") or ()) <= set(groups):
        return NOT_IN_THE_GROUP
    if user.startswith(MACHINES):
        return "approvals are given by people, not by service accounts"
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
