"""What the API server makes of a NetworkPolicy: its defaults."""

from __future__ import annotations

import copy
from typing import Any


def with_defaults(obj: dict[str, Any]) -> dict[str, Any]:
    """A copy with policyTypes and protocols filled in as the API server does."""
    found = copy.deepcopy(obj)
    spec = found.setdefault("spec", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for part in ("ingress", "egress"):
        for rule in spec.get(part) or []:
            for port in rule.get("ports") or []:
                port.setdefault("protocol", "TCP")
    return found
