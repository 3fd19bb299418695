"""Selectors of endpoints in Cilium's policies. Source: Cilium 1.20, pkg/k8s/apis/cilium.io/utils/utils.go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.evaluate.cilium.cilium_identities import (
    CLUSTER,
    NAMESPACE,
    OF_NAMESPACE,
    PODS,
    RESERVED,
    Identity,
)
from orchestrator.policy.objects.label_index import LabelIndex
from orchestrator.policy.objects.selector import requirements, satisfied

Part = Mapping[str, Any]
ANY_SOURCE = "any"
_NEGATED = ("NotIn", "DoesNotExist")
# A label's source, `any` for whichever, its key, an operator and its values.
Wanted = tuple[str, str, str, frozenset[str]]


@dataclass(frozen=True)
class Endpoints:
    """Whom a selector means. `everywhere` says that it may mean others than pods: nodes, the outside."""

    wanted: tuple[Wanted, ...]
    everywhere: bool = False

    def holds(self, identity: Identity) -> bool:
        """Whether an identity has the labels."""
        return all(_holds(want, identity) for want in self.wanted)

    def means(self, identity: Identity, over: bool) -> bool:
        """Whether it means an identity; `over` has the engine's bug: what is only negated means everybody."""
        if over and self.negated:
            return True
        return (self.everywhere or identity.pod is not None) and self.holds(identity)

    def among(self, labels: LabelIndex) -> int:
        """As `holds`, of all pods at once."""
        found = labels.everyone
        for source, key, operator, values in self.wanted:
            one = 0  # pods have no labels of other sources
            if source in (ANY_SOURCE, PODS):
                one = labels.among(key, values) if operator in ("In", "NotIn") else labels.having(key)
            found &= one if operator in ("In", "Exists") else ~one
        return found

    @property
    def outward(self) -> bool:
        """Whether it may mean others than pods, whose labels no other has; by the engine's bug, too."""
        of_pods = any(
            source == PODS and operator in ("In", "Exists") for source, _, operator, _ in self.wanted
        )
        return self.negated or (self.everywhere and not of_pods)

    @property
    def negated(self) -> bool:
        """Whether it asks for nothing but the lack of labels."""
        return bool(self.wanted) and all(operator in _NEGATED for _, _, operator, _ in self.wanted)


def peer(selector: Part, namespace: str, agent: CiliumAgent) -> Endpoints:
    """A peer of a policy of a namespace, or of the whole cluster where that is empty."""
    wanted = _wanted(selector)
    if any(source == RESERVED for source, *_ in wanted):
        return Endpoints(wanted, everywhere=True)
    keys = [key for source, key, *_ in wanted if source in (ANY_SOURCE, PODS)]
    if agent.local_cluster and CLUSTER not in keys:
        wanted += ((PODS, CLUSTER, "In", frozenset([agent.cluster])),)
    if NAMESPACE not in keys:
        if not namespace:
            wanted += ((PODS, NAMESPACE, "Exists", frozenset()),)
        elif not any(key.startswith(OF_NAMESPACE) for key in keys):
            wanted += (_within(namespace),)
    return Endpoints(wanted, everywhere=not agent.local_cluster)


def subject(selector: Part, namespace: str) -> Endpoints:
    """Whom a policy of a namespace selects, or one of the whole cluster where that is empty."""
    if not namespace:
        return Endpoints(_wanted(selector))
    labels = {k: v for k, v in (selector.get("matchLabels") or {}).items() if k != f"{PODS}:{NAMESPACE}"}
    return Endpoints((*_wanted({**selector, "matchLabels": labels}), _within(namespace)))


def of_service(selector: Mapping[str, str], namespace: str) -> Endpoints:
    """The pods that a Service of a namespace selects."""
    labels = tuple((PODS, key, "In", frozenset([value])) for key, value in selector.items())
    return Endpoints((*labels, _within(namespace)))


def selects_labels(selector: Part, labels: Mapping[str, str]) -> bool:
    """Whether a selector means an object, not an endpoint, by its labels: a Service, a CIDR group, a node."""
    return satisfied(((key, op, values) for _, key, op, values in _wanted(selector)), labels)


def names_node(selector: Part, identity: Identity) -> bool:
    """Whether a selector of nodes means an identity: another node alone, the own one has no labels."""
    return "remote-node" in identity.entities and Endpoints(_wanted(selector)).holds(identity)


def _within(namespace: str) -> Wanted:
    return (PODS, NAMESPACE, "In", frozenset([namespace]))


def _wanted(selector: Part) -> tuple[Wanted, ...]:
    return tuple((*_sourced(key), operator, values) for key, operator, values in requirements(selector))


def _sourced(key: str) -> tuple[str, str]:
    source, colon, rest = key.partition(":")
    return (source, rest) if colon else (ANY_SOURCE, key)


def _holds(want: Wanted, identity: Identity) -> bool:
    source, key, operator, values = want
    found = [value for where, value in identity.labels.get(key, ()) if source in (ANY_SOURCE, where)]
    if operator == "Exists":
        return bool(found)
    if operator == "DoesNotExist":
        return not found
    return any(value in values for value in found) is (operator == "In")
