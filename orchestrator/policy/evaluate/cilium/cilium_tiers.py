"""ClusterNetworkPolicy as Cilium's engine has it: identities in place of addresses, and of one priority the denial first.

Source: Cilium 1.20, pkg/k8s/cluster_network_policy.go, Documentation/network/kubernetes/policy.rst.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_agent import OVER_SELECTION
from orchestrator.policy.evaluate.cilium.cilium_crowd import Crowd
from orchestrator.policy.evaluate.cilium.cilium_identities import Identity, Labels
from orchestrator.policy.evaluate.cilium.cilium_peers import Asked, Blocks
from orchestrator.policy.evaluate.ruling import Ruling, stating
from orchestrator.policy.evaluate.tiers import Span, TierPolicy, TierRule, selects, span
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End
from orchestrator.policy.objects.selector import matches, requirements

Part = Mapping[str, Any]
_FIRST = ("Deny", "Pass", "Accept")


def of_priority(
    equals: Sequence[TierPolicy],
    side: Direction,
    end: Identity,
    asked: Asked,
    dst: End,
    namespaces: Labels,
    node_labels: Mapping[str, str] | None,
) -> Iterator[Ruling]:
    """What the policies of one priority say: rule by rule of all of them, of those with one number the denial first.

    `node_labels` are those of the other end where it is a node; None where they are not known.
    """
    if end.pod is None:
        return
    found = [
        (number, _FIRST.index(rule.action), policy, rule)
        for policy in equals
        if selects(policy.subject, end.pod, namespaces)
        for number, rule in enumerate(policy.rules[side])
        if any(_means(peer, asked, namespaces, node_labels) for peer in rule.peers)
    ]
    for number, _, policy, rule in sorted(found, key=lambda item: item[:2]):
        yield _ruling(policy, side, number, rule, dst)


def _ruling(policy: TierPolicy, side: Direction, number: int, rule: TierRule, dst: End) -> Ruling:
    said = f"{title(policy.obj)} {side.part}[{number}]: {rule.said}"
    return stating(rule.action, rule.ports(dst), said)


def _means(peer: Part, asked: Asked, namespaces: Labels, node_labels: Mapping[str, str] | None) -> bool:
    if peer.get("networks") is not None:
        return Blocks([{"cidr": network} for network in peer["networks"]]).means(asked)
    if peer.get("nodes") is not None:
        return _of_node(peer["nodes"], asked, node_labels)
    if peer.get("domainNames") is not None:
        return asked.identity.outside and asked.reading.names_resolve
    if OVER_SELECTION in asked.bugs and _negated(peer):
        return True
    return asked.identity.pod is not None and selects(peer, asked.identity.pod, namespaces)


def among(peer: Part, crowd: Crowd) -> Span:
    """As a peer means one end, of all pods at once."""
    if peer.get("networks") is not None:
        return crowd.covered(Networks(peer["networks"]))
    if crowd.over and _negated(peer):
        return Span(crowd.everyone, 0)
    return span(peer, crowd.pods)


def _of_node(selector: Part, asked: Asked, labels: Mapping[str, str] | None) -> bool:
    if not asked.identity.entities & {"host", "remote-node"}:
        return False
    return asked.reading.nodes_match if labels is None else matches(selector, labels)


def _negated(peer: Part) -> bool:
    """Whether it asks for nothing but the lack of labels of a namespace."""
    selector = peer.get("namespaces")
    wanted = requirements(selector) if selector is not None else ()
    return bool(wanted) and all(operator in ("NotIn", "DoesNotExist") for _, operator, _ in wanted)
