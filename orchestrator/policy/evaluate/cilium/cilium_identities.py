"""What Cilium knows of an end of a connection: its identity, of labels with their sources.

Sources: Cilium 1.20, pkg/labelsfilter/filter.go for the labels of pods that are left out, Documentation/security/policy for entities.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.objects.pod import End, Pod

NAMESPACE = "io.kubernetes.pod.namespace"
OF_NAMESPACE = "io.cilium.k8s.namespace.labels."
CLUSTER = "io.cilium.k8s.policy.cluster"
ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
HOSTNAME = "kubernetes.io/hostname"
PODS, NODES, RESERVED = "k8s", "node", "reserved"  # where labels are from
_LEFT_OUT = re.compile(
    r"io\.cilium\.k8s|io\.kubernetes|kubernetes\.io|k8s\.io|.*beta\.kubernetes\.io|topology\.kubernetes\.io"
    r"|statefulset\.kubernetes\.io/pod-name|apps\.kubernetes\.io/pod-index"
    r"|batch\.kubernetes\.io/(job-completion-index|controller-uid)|controller-uid"
    r"|pod-template-(generation|hash)|controller-revision-hash|annotation|etcd_node"
)
OF_PODS = frozenset(("all", "cluster"))  # the entities that a pod counts to
_ENTITIES = ("kube-apiserver", "health", "ingress")

Labels = Mapping[str, Mapping[str, str]]


class NodeAddress(str):
    """The address of a node: of what runs there without a network of its own. Empty where it is not known."""


@dataclass(frozen=True)
class Identity:
    """`labels` by their keys with source and value, `entities` it counts to; `address` is one that blocks may match, else empty.

    `pod` is a pod of its own network, `outside` an address beyond the cluster.
    """

    labels: Mapping[str, tuple[tuple[str, str], ...]]
    entities: frozenset[str]
    address: str = ""
    pod: Pod | None = None
    outside: bool = False


@lru_cache(8192)
def kept(key: str) -> bool:
    """Whether a pod's label is part of its identity."""
    return not _LEFT_OUT.match(key)


def identified(pod: Pod) -> Pod:
    """A pod with those of its labels that are part of its identity: no selector sees the others."""
    labels = {key: value for key, value in pod.labels.items() if kept(key)}
    return pod if len(labels) == len(pod.labels) else replace(pod, labels=labels)


class Identities:
    """Of pods, nodes and addresses, as the agent of one node sees them."""

    def __init__(self, namespaces: Labels, nodes: Labels | None, agent: CiliumAgent) -> None:
        """`nodes` has the labels of nodes by their addresses; None where they are not known."""
        self._namespaces, self._nodes, self._agent = namespaces, nodes, agent
        self._pods: dict[Pod, Identity] = {}

    def known_node(self, address: str) -> bool:
        return isinstance(address, NodeAddress) or address in (self._nodes or {})

    def on_unsaid_node(self, end: End, viewer: End) -> bool:
        """Whether an end is a node of which nobody knows if a pod runs on it."""
        if not isinstance(viewer, Pod) or viewer.host_network:
            return False
        if isinstance(end, Pod):
            return end.host_network and not viewer.node_ip
        return self.known_node(end) and not (end and viewer.node_ip)

    def of(self, end: End, viewer: Pod, reading: Reading) -> Identity:
        """Of an end, as it is seen at a pod, or at a node with its own policies."""
        if isinstance(end, Pod) and not end.host_network:
            return self.of_pod(end)
        address = end.ip if isinstance(end, Pod) else end
        if isinstance(end, Pod) or self.known_node(address) or address == viewer.node_ip:
            unsaid = self.on_unsaid_node(end, viewer)
            own = reading.same_node if unsaid else self._one_node(address, viewer.node_ip)
            return self._of_node(address, own, reading)
        return self._of_address(address, reading)

    def _one_node(self, address: str, other: str) -> bool:
        """Whether two addresses are those of one node."""
        names = [(self.node_labels(a) or {}).get(HOSTNAME, "") for a in (address, other)]
        return address == other or (names[0] == names[1] != "")

    def of_pod(self, pod: Pod) -> Identity:
        if pod not in self._pods:
            self._pods[pod] = self._labelled(pod)
        return self._pods[pod]

    def node_labels(self, address: str) -> Mapping[str, str] | None:
        """None where they are not known."""
        return (self._nodes or {}).get(address)

    def labels_of(self, pod: Pod) -> Mapping[str, str]:
        """Those of a pod's identity: its own, and those that its place gives it."""
        return {
            **{key: value for key, value in pod.labels.items() if kept(key)},
            **{OF_NAMESPACE + k: v for k, v in self._namespaces.get(pod.namespace, {}).items()},
            NAMESPACE: pod.namespace,
            CLUSTER: self._agent.cluster,
            ACCOUNT: pod.account,
        }

    def _labelled(self, pod: Pod) -> Identity:
        return Identity(
            {key: ((PODS, value),) for key, value in self.labels_of(pod).items()},
            OF_PODS,
            pod.ip if "pods" in self._agent.blocks_match else "",
            identified(pod),
        )

    def _of_node(self, address: str, own: bool, reading: Reading) -> Identity:
        names = {"host" if own else "remote-node"} | self._known(address, reading) & {"kube-apiserver"}
        labels = _reserved(names)
        if self._agent.node_labels:
            given = (self.node_labels(address) or {}).items()
            labels = {**{key: ((NODES, value),) for key, value in given}, **labels}
        block = address if "nodes" in self._agent.blocks_match else ""
        return Identity(labels, frozenset(("all", "cluster", *names)), block)

    def _of_address(self, address: str, reading: Reading) -> Identity:
        names = self._known(address, reading)
        if names & {"health", "ingress"}:
            return Identity(_reserved(names), frozenset(("all", "cluster", *names)))
        inside = ("cluster",) if names else ()
        labels = _reserved(names | {"world"})
        return Identity(labels, frozenset(("all", "world", *inside, *names)), address, outside=True)

    def _known(self, address: str, reading: Reading) -> set[str]:
        if self._agent.known is None:
            return {"kube-apiserver"} if reading.is_api_server else set()
        return {name for name in self._agent.known.get(address, ()) if name in _ENTITIES}


def _reserved(names: set[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    return dict.fromkeys(names, ((RESERVED, ""),))
