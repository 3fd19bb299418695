"""ClusterNetworkPolicy, policy.networking.k8s.io/v1alpha2, and its forerunners AdminNetworkPolicy and BaselineAdminNetworkPolicy
of v1alpha1, as policies in tiers.

Source: the APIs' own text. `networks` cover traffic inside the cluster as well.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from orchestrator.policy.evaluate.tiers import Tier, TierPolicy, TierRule
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End

Part = Mapping[str, Any]
_FIRST = 0  # there is one baseline alone


def compiled(policy: Part) -> TierPolicy:
    """Any of the three, which has to be valid."""
    return _KINDS[policy["kind"]](policy)


def _cluster_network_policy(policy: Part) -> TierPolicy:
    spec = policy["spec"]
    return _policy(policy, spec["tier"], int(spec["priority"]), "protocols", port_sets.of_tier)


def _admin(policy: Part) -> TierPolicy:
    return _policy(policy, "Admin", int(policy["spec"]["priority"]), "ports", port_sets.of_admin)


def _baseline(policy: Part) -> TierPolicy:
    return _policy(policy, "Baseline", _FIRST, "ports", port_sets.of_admin)


def _policy(
    policy: Part, tier: Tier, priority: int, ports: str, read: Callable[[Any, End], int]
) -> TierPolicy:
    """`ports` is the field of a rule which `read` makes a set of."""
    rules = {
        side: tuple(
            TierRule(
                "Accept" if rule["action"] == "Allow" else rule["action"],
                rule["action"],
                side.peers_of(rule),
                partial(read, rule.get(ports) or ()),
                not rule.get(ports),
            )
            for rule in side.rules(policy)
        )
        for side in Direction
    }
    return TierPolicy(policy, tier, priority, rules)


_KINDS: Mapping[str, Callable[[Part], TierPolicy]] = {
    "ClusterNetworkPolicy": _cluster_network_policy,
    "AdminNetworkPolicy": _admin,
    "BaselineAdminNetworkPolicy": _baseline,
}
