"""What the Kubernetes API leaves to the implementation, as questions, and how the known CNIs answer them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from itertools import product
from typing import NamedTuple

from orchestrator.errors import BadInput
from orchestrator.policy.schemas.policy_kinds import CALICO, CILIUM, TIERED


@dataclass(frozen=True)
class Reading:
    """One answer to every question.

    block_covers_pods: an ipBlock matches the addresses of pods, too.
    host_as_node: a hostNetwork pod is its node: no policy selects it, no pod selector matches it.
    node_address_hidden: what a hostNetwork pod sends does not carry its node's address (a tunnel's instead).
    baseline_per_direction: a NetworkPolicy shields a pod from the Baseline tier in its own directions only.
    ties_allow, ties_deny: of cluster-wide policies of a tier with one priority those that allow, or that deny, count first;
    else the first by name.
    self_exempt: a pod reaches itself whatever a cluster-wide policy says.
    names_resolve: an address outside is one that the domain names of a rule stand for.
    nodes_match: an address is that of a node which a rule selects by its labels, where no node is known.
    cilium: Cilium's engine enforces the policies of all APIs; that is never open.
    cilium_1_20: where open bugs of Cilium 1.20 answer otherwise than its documentation, they decide; that is never open.
    in_groups: an address outside is one of a cloud's groups that a rule names.
    services_open: a rule for Services of which none is there opens its ports to every destination.
    peers_authenticate: both ends authenticate where a rule asks for that.
    own_node_first: with enable-policy: always a pod without policies is reached from its own node.
    is_api_server: an address is one of the API server's, where Cilium's rules name that and nobody knows its addresses.
    same_node: what runs in a node's network runs on the node of the other end.
    names_by_tier: Calico policies of one tier and order go by `namespace/tier.name`, as up to 3.31, not by `name/namespace/kind`.
    not_selector_own: a notSelector alone in a namespaced Calico policy means its own namespace, and nothing outside.
    spaces_mean_global_sets: a Calico namespaceSelector that holds without labels matches GlobalNetworkSets.
    services_own: Services without a namespace in a Calico policy are those of its own.
    http_matches: a request is one that `http` of a Calico rule means.
    source_ports_allow, source_ports_deny, source_ports_pass: the client's port is one that Calico rules with that action name.
    """

    block_covers_pods: bool = False
    host_as_node: bool = False
    node_address_hidden: bool = False
    baseline_per_direction: bool = True
    ties_allow: bool = False
    ties_deny: bool = False
    self_exempt: bool = True
    names_resolve: bool = False
    nodes_match: bool = False
    cilium: bool = False
    cilium_1_20: bool = False
    in_groups: bool = False
    services_open: bool = False
    peers_authenticate: bool = False
    own_node_first: bool = False
    is_api_server: bool = False
    same_node: bool = False
    names_by_tier: bool = False
    not_selector_own: bool = True
    spaces_mean_global_sets: bool = True
    services_own: bool = False
    http_matches: bool = True
    source_ports_allow: bool = True
    source_ports_deny: bool = False
    source_ports_pass: bool = False


QUESTIONS = tuple(f.name for f in fields(Reading))
_SOURCE_PORT = "which port the client sends from"
_TIES = "which of the cluster-wide policies with one priority comes first"
SAID = {
    "block_covers_pods": "whether an ipBlock covers the addresses of pods",
    "host_as_node": "whether a hostNetwork pod counts as a pod or as its node",
    "node_address_hidden": "whether the traffic of a hostNetwork pod carries its node's address",
    "baseline_per_direction": "whether a NetworkPolicy for one direction shields the other from the Baseline tier",
    "ties_allow": _TIES,
    "ties_deny": _TIES,
    "self_exempt": "whether a cluster-wide policy can keep a pod from itself",
    "names_resolve": "which addresses DNS gives for the domain names of a rule",
    "nodes_match": "which labels the node of that address has",
    "in_groups": "which addresses a cloud has in the groups of a rule",
    "services_open": "whether toServices with ports, of which no Service is there, opens them to every destination: Cilium 1.20 does, "
    "its documentation says nothing passes",
    "peers_authenticate": "whether both ends authenticate, as a rule asks",
    "own_node_first": "whether Cilium's enable-policy: always closes a pod without policies to its own node, too",
    "is_api_server": "whether that address is one of the API server's",
    "same_node": "whether the hostNetwork pod runs on the node of the other end",
    "names_by_tier": "whether Calico is of version 3.32 or later, which orders names of policies in another way",
    "not_selector_own": "whether a notSelector alone in a namespaced Calico policy means its own namespace only",
    "spaces_mean_global_sets": "whether a namespaceSelector that holds without labels matches GlobalNetworkSets",
    "services_own": "whether Services without a namespace are those of the Calico policy's own",
    "http_matches": "which requests are sent: a Calico rule asks for them by http",
    "source_ports_allow": _SOURCE_PORT,
    "source_ports_deny": _SOURCE_PORT,
    "source_ports_pass": _SOURCE_PORT,
}
OF_NODES = (
    "whether an ipBlock covers the addresses of nodes, such as that of NodeLocal DNSCache (Cilium: with policyCIDRMatchMode: nodes "
    "alone)"
)
Kind = tuple[str, str]  # an API group, and a kind in it
_ADMIN: Kind = (TIERED, "AdminNetworkPolicy")
_BASELINE: Kind = (TIERED, "BaselineAdminNetworkPolicy")
_CLUSTER: Kind = (TIERED, "ClusterNetworkPolicy")
_OF_CILIUM: tuple[Kind, Kind] = ((CILIUM, "CiliumNetworkPolicy"), (CILIUM, "CiliumClusterwideNetworkPolicy"))
_OF_CALICO: tuple[Kind, Kind] = ((CALICO, "NetworkPolicy"), (CALICO, "GlobalNetworkPolicy"))


class Profile(NamedTuple):
    """A CNI as its own documentation has it: docs/clusters.md has the sources.

    said: what people call it.
    answers: to questions above; one that is not here is open.
    enforces: the kinds beside NetworkPolicy that it enforces, each with what that depends on, empty for nothing; None for all.
    daemons: the DaemonSets by whose names it is found.
    most_priority: the last priority at which an AdminNetworkPolicy still holds; None for all that the API allows. Where there is one,
    each has to have a priority of its own.
    """

    said: str
    answers: Mapping[str, bool]
    enforces: Mapping[Kind, str] | None = None
    daemons: tuple[str, ...] = ()
    most_priority: int | None = None


_CILIUM: Mapping[str, bool] = {
    "cilium": True,
    "block_covers_pods": False,
    "host_as_node": True,
    "node_address_hidden": False,
}
_CILIUM_ENFORCES = {
    **dict.fromkeys(_OF_CILIUM, ""),
    _CLUSTER: "its agent's enable-k8s-cluster-network-policy",
}
_GATE = "its feature gate {}"
GENERIC = "generic"
PROFILES: Mapping[str, Profile] = {
    GENERIC: Profile("the CNI", {}),
    "calico": Profile(
        "Calico",
        {"block_covers_pods": True, "host_as_node": True},
        {
            **dict.fromkeys(_OF_CALICO, ""),
            **dict.fromkeys((_ADMIN, _BASELINE), "its version: up to 3.31 alone"),
            _CLUSTER: "its version: from 3.32 on",
        },
        ("calico-node", "canal", "rke2-canal"),
    ),
    "cilium": Profile("Cilium", _CILIUM, _CILIUM_ENFORCES, ("cilium",)),
    "cilium:1.20": Profile("Cilium", {**_CILIUM, "cilium_1_20": True}, _CILIUM_ENFORCES),
    "kube-router": Profile(
        "kube-router",
        {"block_covers_pods": True, "host_as_node": True, "node_address_hidden": False},
        {},
        ("kube-router",),
    ),
    "ovn-kubernetes": Profile(
        "OVN-Kubernetes",
        {"block_covers_pods": True},
        dict.fromkeys((_ADMIN, _BASELINE), ""),
        ("ovnkube-node",),
        most_priority=99,
    ),
    "antrea": Profile(
        "Antrea",
        {},
        {
            **dict.fromkeys((_ADMIN, _BASELINE), _GATE.format("AdminNetworkPolicy")),
            _CLUSTER: _GATE.format("ClusterNetworkPolicy"),
        },
        ("antrea-agent",),
    ),
    "eks-vpc-cni": Profile("the VPC CNI of EKS", {}, {}, ("aws-node",)),
    "gke-dataplane-v2": Profile(
        "GKE Dataplane V2",
        _CILIUM,
        {
            _OF_CILIUM[0]: "what Google's documentation does not say",
            _OF_CILIUM[1]: "the cluster's option enable-cilium-clusterwide-network-policy",
            _CLUSTER: "its version: from 1.36.0-gke.4447000 on",
        },
        ("anetd",),
    ),
    "azure-npm": Profile("Azure Network Policy Manager", {"block_covers_pods": True}, {}, ("azure-npm",)),
    "azure-cilium": Profile(
        "Azure CNI powered by Cilium",
        _CILIUM,
        {**dict.fromkeys(_OF_CILIUM, ""), _CLUSTER: "what Microsoft's documentation does not say"},
    ),
}


def profile(name: str) -> dict[str, bool]:
    """The questions that a CNI answers. Raises BadInput."""
    if name not in PROFILES:
        raise BadInput(f"the CNI profile {name} is not known", "--cni", f"take one of {', '.join(PROFILES)}")
    return dict(PROFILES[name].answers)


def covers_nodes(cni: str) -> bool | None:
    """Whether an ipBlock covers the addresses of nodes; None where the CNI's own configuration, or the CNI, decides."""
    return PROFILES[cni].answers.get("block_covers_pods") or None


def readings(settled: dict[str, bool], open_questions: Collection[str]) -> list[Reading]:
    """Every reading that differs in the open questions which the profile does not settle."""
    free = [q for q in QUESTIONS if q in open_questions and q not in settled]
    return [
        Reading(**{**settled, **dict(zip(free, given, strict=True))})
        for given in product((False, True), repeat=len(free))
    ]
