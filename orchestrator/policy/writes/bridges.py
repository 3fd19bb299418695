"""The temporary policies of this product, bridges, recognised by what nobody can change of them: their names."""

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.policy.schemas.policy_kinds import group_of

BRIDGE_LABEL = "netpol-canary.dev/bridge"
_NAME = re.compile(r"netpol-canary-bridge-([0-9a-f]{10})-([0-9]{1,6})")


def bridge_name(tag: str, number: int) -> str:
    """The name of the so-manieth bridge of a rollout, whose tag it carries."""
    return f"netpol-canary-bridge-{tag}-{number}"


def bridge_tag(obj: Mapping[str, Any]) -> str:
    """The tag of the rollout whose bridge this is, whatever its labels and content have become; empty for none.

    A policy of another name that carries the label is somebody else's, unless the label names a rollout.
    """
    api_version, kind = obj.get("apiVersion", "networking.k8s.io/v1"), obj.get("kind", "NetworkPolicy")
    if (group_of(str(api_version)), kind) != ("networking.k8s.io", "NetworkPolicy"):
        return ""
    found = _NAME.fullmatch(str(obj["metadata"].get("name", "")))
    return found[1] if found else ""


def labelled(obj: Mapping[str, Any]) -> str:
    """What the label says, which anybody may set."""
    return str((obj["metadata"].get("labels") or {}).get(BRIDGE_LABEL, ""))


def bridge_number(obj: Mapping[str, Any]) -> int:
    """The number in its name; -1 where it is none."""
    found = _NAME.fullmatch(str(obj["metadata"].get("name", "")))
    return int(found[2]) if found else -1
