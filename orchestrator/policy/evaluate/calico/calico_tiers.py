"""Calico's tiers, and the places of policies in them. Source: projectcalico.org/v3, Tier; `order` of policies and tiers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.policy.evaluate.calico.calico_policies import CalicoPolicy
from orchestrator.policy.evaluate.calico.calico_world import is_calico
from orchestrator.policy.evaluate.tiers import Tier as Cluster
from orchestrator.policy.files.doubles import title

Part = Mapping[str, Any]
DEFAULT = "default"
_OF_KUBERNETES = 1000.0  # the order of NetworkPolicies
# Up to 3.31, and from 3.32 on, with ClusterNetworkPolicy alone.
_OF_CLUSTER: Mapping[str, tuple[Cluster, float]] = {
    "adminnetworkpolicy": ("Admin", 1000.0),
    "baselineadminnetworkpolicy": ("Baseline", 10_000_000.0),
    "kube-admin": ("Admin", 1000.0),
    "kube-baseline": ("Baseline", 10_000_000.0),
}


class Entry(NamedTuple):
    """A policy in its tier: by its order, then by its name; `policy` is None of a NetworkPolicy of Kubernetes.

    `names` are as Calico writes them from 3.32 on, and as it does up to 3.31.
    """

    obj: Part
    order: float
    names: tuple[str, str]
    policy: CalicoPolicy | None = None

    @property
    def title(self) -> str:
        return title(self.obj)

    def place(self, way: int) -> tuple[float, str, tuple[str, str]]:
        """Where it stands among others by one of its names, the first or the second."""
        return self.order, self.names[way], self.names


@dataclass(frozen=True, eq=False)
class Tier:
    """`passes` says that what no policy of the tier decides goes on to the next one, else it is denied.

    `cluster` says which of the cluster-wide policies stand in it.
    """

    name: str
    order: float
    passes: bool = False
    cluster: Cluster | None = None
    of_all: list[Entry] = field(default_factory=list)
    by_space: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, policy: CalicoPolicy) -> None:
        """Takes one of Calico's policies."""
        place, space = place_of(policy.obj), policy.space
        entry = Entry(policy.obj, place.order, place.names, policy)
        (self.by_space.setdefault(space, []) if space else self.of_all).append(entry)


def of_kubernetes(policy: Part) -> Entry:
    """A NetworkPolicy of Kubernetes in the default tier."""
    place = place_of(policy)
    return Entry(policy, place.order, place.names)


class Place(NamedTuple):
    """Where a policy is asked: in a tier, by its order, then by its name; `names` as in Entry."""

    tier: str
    order: float
    names: tuple[str, str]


def place_of(policy: Part) -> Place:
    """The place of one of Calico's policies, or of a NetworkPolicy of Kubernetes."""
    name, kind = policy["metadata"]["name"], policy["kind"]
    space = "" if kind.endswith("GlobalNetworkPolicy") else policy["metadata"].get("namespace") or "default"
    if not is_calico(policy):
        names = (f"{name}/{space}/KubernetesNetworkPolicy", f"{space}/knp.{DEFAULT}.{name}")
        return Place(DEFAULT, _OF_KUBERNETES, names)
    spec = policy.get("spec") or {}
    tier = spec.get("tier") or DEFAULT
    tiered = name if name.startswith(f"{tier}.") else f"{tier}.{name}"
    return Place(
        tier, _order(spec.get("order")), (f"{name}/{space}/{kind}", f"{space}/{tiered}" if space else tiered)
    )


def tiers(further: Sequence[Part], cluster: Sequence[Part]) -> list[Tier]:
    """In order, still without policies: those that every cluster has, and those that are written down."""
    newest = any(policy["kind"] == "ClusterNetworkPolicy" for policy in cluster)
    found = {
        name: Tier(
            name,
            order,
            passes=True,
            cluster=which if cluster and name.startswith("kube-") is newest else None,
        )
        for name, (which, order) in _OF_CLUSTER.items()
    }
    found[DEFAULT] = Tier(DEFAULT, 1_000_000.0)
    for obj in further:
        if obj["kind"] == "Tier" and is_calico(obj):
            name, spec = obj["metadata"]["name"], obj.get("spec") or {}
            found.setdefault(name, Tier(name, _order(spec.get("order")), spec.get("defaultAction") == "Pass"))
    return sorted(found.values(), key=lambda tier: (tier.order, tier.name))


def _order(order: float | None) -> float:
    """What has no order comes last."""
    return math.inf if order is None else float(order)
