"""Where a wave's Workflow is, as lines: each task with its pods, from the status that Argo writes."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 8 << 20  # of a status that Argo stored compressed
ORDER = ("baseline", "apply", "settle", "analyze", "verdict")
STATES = ("Running", "Pending", "Succeeded", "Failed", "Error", "Omitted", "Skipped")


@dataclass(frozen=True)
class Stage:
    """A step of a wave with how many of its pods are in which phase, and what a pod that went wrong said."""

    step: str
    phases: Mapping[str, int]
    message: str = ""

    @property
    def text(self) -> str:
        """`3 Succeeded, 1 Running`."""
        found = [f"{self.phases[s]} {s}" for s in STATES if self.phases.get(s)]
        return ", ".join(found) or "not begun"


def stages(workflow: Mapping[str, Any]) -> list[Stage]:
    """The steps in their order; one whose pods have not begun has no phases."""
    found: dict[str, dict[str, int]] = {step: {} for step in ORDER}
    said: dict[str, str] = {}
    for node in _nodes(workflow.get("status") or {}).values():
        step = str(node.get("displayName", "")).partition("(")[0]
        # A pod that is tried again has a node of type Retry above it, which stands for all its tries.
        if step not in found or node.get("type") not in ("Retry", "Skipped"):
            continue
        phase = str(node.get("phase") or "Pending")
        found[step][phase] = found[step].get(phase, 0) + 1
        if phase in ("Failed", "Error") and node.get("message"):
            said.setdefault(step, str(node["message"]))
    return [Stage(step, phases, said.get(step, "")) for step, phases in found.items()]


def _nodes(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Argo stores many nodes compressed; of what is larger than MOST_BYTES nothing is shown."""
    packed = status.get("compressedNodes")
    if not packed:
        found: Mapping[str, Any] = status.get("nodes") or {}
        return found
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = unpacker.decompress(base64.b64decode(packed), MOST_BYTES)
        nodes = json.loads(text) if not unpacker.unconsumed_tail else {}
    except (ValueError, zlib.error):
        return {}
    return nodes if isinstance(nodes, dict) else {}
