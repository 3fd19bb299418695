"""What Cilium's agent was told and what it knows of addresses, where that changes the meaning of policies.

Sources: the agent's options and ConfigMap `cilium-config`, Cilium 1.20.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.errors import BadInput
from orchestrator.policy.objects.networks import canonical

CONFIG_MAP = "cilium-config"
Enforcement = Literal["default", "always", "never"]
# Where the engine differs from the documentation by an open bug, and since when that is known of it.
POLICY_TYPES, OVER_SELECTION, BASELINE = "policy-types", "over-selection", "baseline"
BUGS = {
    POLICY_TYPES: "Cilium 1.20 enforces the rules of a direction that policyTypes leaves out, too "
    "(https://github.com/cilium/cilium/issues/48703)",
    OVER_SELECTION: "Cilium 1.20 takes a peer that is only negated for everybody, excluded pods and the outside as well "
    "(https://github.com/cilium/cilium/issues/46949)",
    BASELINE: "Cilium 1.20 asks Baseline before it denies what no rule allows",
}
# The kinds that the agent can be told to leave alone, each by an option, and whether it minds them where nothing is said.
WATCHED = {
    "NetworkPolicy": ("enable-k8s-networkpolicy", True),
    "CiliumNetworkPolicy": ("enable-cilium-network-policy", True),
    "CiliumClusterwideNetworkPolicy": ("enable-cilium-clusterwide-network-policy", True),
    "ClusterNetworkPolicy": ("enable-k8s-cluster-network-policy", False),
}
_QUIRKS: Mapping[str, Collection[str]] = {"": (), "1.20": BUGS}


@dataclass(frozen=True)
class CiliumAgent:
    """As its chart has it where nothing else is said.

    blocks_match: what CIDRs match beside the outside: `pods`, `nodes` (policy-cidr-match-mode).
    local_cluster: a peer is of the own cluster unless it says otherwise (policy-default-local-cluster, on since 1.19).
    host_firewall: policies with a nodeSelector hold for nodes (enable-host-firewall).
    node_labels: policies may select nodes by their labels (enable-node-selector-labels).
    enforcement: whether pods without policies are closed, or all are open (enable-policy; policy-audit-mode only reports denials).
    own_node_asks: the own node needs a rule as well (allow-localhost: policy).
    cluster: the name of the own cluster.
    known: of addresses, what they are beside nodes: kube-apiserver, health, ingress; None where nobody knows.
    unwatched: the kinds of policies that it leaves alone; none where no ConfigMap is known.
    said: the kinds of which its ConfigMap says whether it does.
    labels: its own choice of the labels that make an identity; empty for the usual one, which is the one that is known here.
    quirks: the version whose open bugs decide, "1.20"; empty where its documentation does.
    """

    blocks_match: frozenset[str] = frozenset()
    local_cluster: bool = True
    host_firewall: bool = False
    node_labels: bool = False
    enforcement: Enforcement = "default"
    own_node_asks: bool = False
    cluster: str = "default"
    known: Mapping[str, Collection[str]] | None = field(default_factory=dict, hash=False)
    quirks: str = ""
    unwatched: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    labels: str = ""

    def __post_init__(self) -> None:
        if self.quirks not in _QUIRKS:
            fix = f"take one of {', '.join(q for q in _QUIRKS if q)}"
            raise BadInput(f"the quirks of Cilium {self.quirks} are not known", "quirks", fix)

    @property
    def bugs(self) -> frozenset[str]:
        """The open bugs that decide."""
        return frozenset(_QUIRKS[self.quirks])


def agent_among(manifests: Iterable[Mapping[str, Any]]) -> CiliumAgent:
    """The agent as a cluster's objects tell of it: its ConfigMap, the API server's endpoints, CiliumNodes."""
    data: Mapping[str, Any] = {}
    known: dict[str, set[str]] = {}
    for obj in manifests:
        kind, meta, spec = obj.get("kind"), obj["metadata"], obj.get("spec") or {}
        if kind == "ConfigMap" and meta["name"] == CONFIG_MAP:
            data = obj.get("data") or {}
        elif kind == "EndpointSlice" and _of_api_server(meta) and obj.get("addressType") != "FQDN":
            for endpoint in obj.get("endpoints") or ():
                for address in map(canonical, endpoint.get("addresses") or ()):
                    known.setdefault(address, set()).add("kube-apiserver")
        elif kind == "CiliumNode":
            for name in ("health", "ingress"):
                for address in map(canonical, (spec.get(name) or {}).values()):
                    known.setdefault(address, set()).add(name)
    return configured(data, known or None)


def _of_api_server(meta: Mapping[str, Any]) -> bool:
    service = (meta.get("labels") or {}).get("kubernetes.io/service-name")
    return (meta.get("namespace"), service) == ("default", "kubernetes")


def configured(
    data: Mapping[str, Any], known: Mapping[str, Collection[str]] | None, quirks: str = ""
) -> CiliumAgent:
    """The agent that a ConfigMap's data tells of. Raises BadInput for quirks that are not known."""

    def on(name: str, usual: bool = False) -> bool:
        return str(data.get(name, usual)).lower() == "true"

    modes: dict[str, Enforcement] = {"always": "always", "never": "never"}
    return CiliumAgent(
        blocks_match=frozenset(str(data.get("policy-cidr-match-mode", "")).replace(",", " ").split()),
        local_cluster=on("policy-default-local-cluster", True),
        host_firewall=on("enable-host-firewall"),
        node_labels=on("enable-node-selector-labels"),
        enforcement="never"
        if on("policy-audit-mode")
        else modes.get(str(data.get("enable-policy")), "default"),
        own_node_asks=str(data.get("allow-localhost")) == "policy",
        cluster=str(data.get("cluster-name") or "default"),
        known=known,
        quirks=quirks,
        unwatched=frozenset(
            kind for kind, (option, usual) in WATCHED.items() if not on(option, usual or not data)
        ),
        said=frozenset(kind for kind, (option, _) in WATCHED.items() if option in data),
        labels=str(data.get("labels") or ""),
    )
