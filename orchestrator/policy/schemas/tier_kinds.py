"""The kinds of policies that hold for the whole cluster and are evaluated, each with what the API server refuses in it."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.policy.schemas.admin_schema import admin_problems, baseline_problems
from orchestrator.policy.schemas.tier_schema import tier_problems

_GROUP = "policy.networking.k8s.io/"
Problems = Callable[[Mapping[str, Any]], list[str]]
_KINDS: Mapping[str, Problems] = {
    "ClusterNetworkPolicy": tier_problems,
    "AdminNetworkPolicy": admin_problems,
    "BaselineAdminNetworkPolicy": baseline_problems,
}


def tier_check(obj: Mapping[str, Any]) -> Problems | None:
    """What finds what is wrong with a cluster-wide policy; None for any other object."""
    return _KINDS.get(str(obj["kind"])) if str(obj["apiVersion"]).startswith(_GROUP) else None
