"""Which namespaces a change of some places may concern: what is for the whole cluster may concern any."""

from collections.abc import Iterable

from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.rollout.resources.places import CLUSTER, spaces


def concerned(places: Iterable[str], fleet: Fleet) -> frozenset[str]:
    """The namespaces among the places; every one in which anything runs, where the cluster is among them."""
    names = frozenset(places)
    everywhere = {w.pod.namespace for w in fleet.workloads} if CLUSTER in names else ()
    return frozenset(spaces(names)).union(everywhere)
