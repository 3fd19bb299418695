"""The kinds of policies beside NetworkPolicy that are evaluated: a row each, with what the API server refuses in them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from orchestrator.policy.schemas.admin_schema import admin_problems, baseline_problems
from orchestrator.policy.schemas.calico_schema import calico_problems
from orchestrator.policy.schemas.cilium_schema import cilium_problems
from orchestrator.policy.schemas.tier_schema import tier_problems

Problems = Callable[[Mapping[str, Any]], list[str]]


class PolicyKind(NamedTuple):
    """`api_version` is the one that is read from clusters; files may have any version of its group.

    `only` is the namespace and name of the one object of it that counts, where not all do. `older` is the version of clusters
    that do not have it yet. `stored` is where a CNI keeps the objects whose `api_version` its own API server serves.
    """

    api_version: str
    kind: str
    problems: Problems
    namespaced: bool = False
    only: tuple[str, str] | None = None
    older: str = ""
    stored: str = ""

    @property
    def group(self) -> str:
        return group_of(self.api_version)


@lru_cache(1024)
def group_of(api_version: str) -> str:
    """The API group; empty for the core's."""
    return api_version.rpartition("/")[0]


def nothing(_: Mapping[str, Any]) -> list[str]:
    """Of kinds whose shape is not checked here."""
    return []


_STORED = "crd.projectcalico.org/v1"
POLICY_KINDS = (
    PolicyKind("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", tier_problems),
    PolicyKind("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", admin_problems),
    PolicyKind("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", baseline_problems),
    PolicyKind("cilium.io/v2", "CiliumNetworkPolicy", cilium_problems, namespaced=True),
    PolicyKind("cilium.io/v2", "CiliumClusterwideNetworkPolicy", cilium_problems),
    PolicyKind("projectcalico.org/v3", "NetworkPolicy", calico_problems, namespaced=True, stored=_STORED),
    PolicyKind("projectcalico.org/v3", "GlobalNetworkPolicy", calico_problems, stored=_STORED),
)
TIERED = "policy.networking.k8s.io"
CILIUM = "cilium.io"
CALICO = "projectcalico.org"
# What policies of a group refer to: objects that are no policies themselves.
_SERVICES = (
    PolicyKind("v1", "Service", nothing),
    PolicyKind("discovery.k8s.io/v1", "EndpointSlice", nothing),
)
# The options of Cilium's agent: they bear on NetworkPolicies, too.
AGENT = PolicyKind("v1", "ConfigMap", nothing, namespaced=True, only=("kube-system", "cilium-config"))
REFERRED: Mapping[str, Sequence[PolicyKind]] = {
    CILIUM: (
        PolicyKind("cilium.io/v2", "CiliumCIDRGroup", cilium_problems, older="cilium.io/v2alpha1"),
        PolicyKind("cilium.io/v2", "CiliumNode", nothing),
        PolicyKind("v1", "Node", nothing),
        AGENT,
        *_SERVICES,
    ),
    CALICO: (
        PolicyKind("projectcalico.org/v3", "Tier", calico_problems),
        PolicyKind("projectcalico.org/v3", "NetworkSet", calico_problems, namespaced=True),
        PolicyKind("projectcalico.org/v3", "GlobalNetworkSet", calico_problems),
        PolicyKind("v1", "ServiceAccount", nothing, namespaced=True),
        *_SERVICES,
    ),
}
# These enforce nothing: a dry run of the CNI's own.
_STAGED = ("StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy")
_POLICIES = {(k.group, k.kind): k for k in POLICY_KINDS}
_OTHERS = {
    **{(k.group, k.kind): k.problems for found in REFERRED.values() for k in found},
    **{(CALICO, kind): calico_problems for kind in _STAGED},
}


def policy_kind(obj: Mapping[str, Any]) -> PolicyKind | None:
    """The row of an object; None for a NetworkPolicy of Kubernetes, and for whatever is no policy that is known here."""
    return _POLICIES.get(kind_of(obj))


def checker(obj: Mapping[str, Any]) -> Problems | None:
    """What finds what is wrong with an object of these kinds, or of those that they refer to; None for any other."""
    found = policy_kind(obj)
    return found.problems if found else _OTHERS.get(kind_of(obj))


def kind_of(obj: Mapping[str, Any]) -> tuple[str, str]:
    """The API group of an object, and its kind there."""
    return group_of(str(obj["apiVersion"])), str(obj["kind"])


def is_policy(obj: Mapping[str, Any]) -> bool:
    """Whether an object is a policy that is evaluated."""
    return (obj["kind"] == "NetworkPolicy" and str(obj["apiVersion"]).startswith("networking.k8s.io/")) or (
        policy_kind(obj) is not None
    )


def closes(obj: Mapping[str, Any]) -> bool:
    """Whether it may close what a NetworkPolicy that allows all opens: a policy of another kind, but for those asked before."""
    found = policy_kind(obj)
    if found is None or found.group != TIERED:
        return found is not None
    return found.kind != "AdminNetworkPolicy" and (obj.get("spec") or {}).get("tier") != "Admin"


def clusterwide(obj: Mapping[str, Any]) -> bool:
    """Whether it is a policy of the whole cluster."""
    found = policy_kind(obj)
    return found is not None and not found.namespaced


def namespaced(obj: Mapping[str, Any]) -> bool:
    """Whether it is a policy of one namespace."""
    found = policy_kind(obj)
    return found.namespaced if found else bool(obj["kind"] == "NetworkPolicy")
