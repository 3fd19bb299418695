"""The directions for which a NetworkPolicy selects pods. Source: NetworkPolicy API, spec.policyTypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def directions(policy: Mapping[str, Any]) -> set[str]:
    """policyTypes, defaulted as the API does."""
    spec = policy["spec"]
    types = spec.get("policyTypes")
    if types:
        return set(types)
    return {"Ingress", "Egress"} if spec.get("egress") else {"Ingress"}
