"""The kinds that can be narrowed, each with how, and what is said of the others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from orchestrator.policy.narrow import calico_subjects, cilium_subjects, kubernetes_subjects
from orchestrator.policy.narrow.scoped_pods import Cell, Scope, Unnarrowable, inside, outside, refusal
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE, NAMESPACED
from orchestrator.policy.schemas.acceptable import objections
from orchestrator.policy.schemas.policy_kinds import CALICO, CILIUM, REFERRED, TIERED, kind_of

Manifest = dict[str, Any]
Halves = tuple[list[Manifest], list[Manifest]]  # of the scope, and of all else
MOST_PARTS = 64  # objects that one comes to


def _nothing(_: Manifest) -> str:
    return ""


class _Row(NamedTuple):
    """How a kind is narrowed, and what it selects beside pods."""

    halves: Callable[[Manifest, Scope], Halves]
    beside: Callable[[Manifest], str] = _nothing


def _celled(narrowed: Callable[[Manifest, Sequence[Cell]], list[Manifest]]) -> _Row:
    """A kind that is narrowed cell by cell."""
    return _Row(lambda obj, scope: (narrowed(obj, inside(scope)), narrowed(obj, outside(scope))))


_CILIUM = _Row(
    lambda obj, scope: (
        cilium_subjects.narrowed(obj, scope, inside),
        cilium_subjects.narrowed(obj, scope, outside),
    ),
    cilium_subjects.meant_beside,
)
_CALICO = _Row(calico_subjects.halves, calico_subjects.meant_beside)
_NAMESPACED = _celled(kubernetes_subjects.of_namespace)
_CLUSTER = _celled(kubernetes_subjects.of_cluster)
KINDS: Mapping[tuple[str, str], _Row] = {
    ("networking.k8s.io", "NetworkPolicy"): _NAMESPACED,
    (TIERED, "AdminNetworkPolicy"): _CLUSTER,
    (TIERED, "BaselineAdminNetworkPolicy"): _CLUSTER,
    (TIERED, "ClusterNetworkPolicy"): _CLUSTER,
    (CILIUM, NAMESPACED): _CILIUM,
    (CILIUM, CLUSTERWIDE): _CILIUM,
    (CALICO, "NetworkPolicy"): _CALICO,
    (CALICO, "GlobalNetworkPolicy"): _CALICO,
    (CALICO, "StagedNetworkPolicy"): _CALICO,
    (CALICO, "StagedGlobalNetworkPolicy"): _CALICO,
    (CALICO, "StagedKubernetesNetworkPolicy"): _NAMESPACED,
}


def halves(obj: Manifest, scope: Scope) -> Halves:
    """What an object comes to in a scope and outside of it, itself where one of both has all. Raises Unnarrowable."""
    row = KINDS.get(kind_of(obj))
    if row is None:
        raise refusal(obj, _without_subject(obj))
    if wrong := next(objections(obj), ""):
        raise refusal(obj, f"it is not valid: {wrong}")
    try:
        some, rest = row.halves(obj, scope)
    except Unnarrowable as error:
        raise refusal(obj, str(error)) from None
    if not some or obj in some:  # all of it is on one side: what selects nothing stays outside
        return ([], [obj]) if not some else ([obj], [])
    for part in [*some, *rest]:
        if wrong := next(objections(part), ""):
            raise refusal(obj, f"narrowed, it would not be valid: {wrong}")
    if len(some) + len(rest) > MOST_PARTS:
        raise refusal(obj, f"it would come to {len(some) + len(rest)} objects, more than {MOST_PARTS}")
    return some, rest


def means_beside_pods(obj: Manifest) -> str:
    """What an object selects beside pods, in words; empty for nothing. It is in no namespace, and outside of every scope."""
    row = KINDS.get(kind_of(obj))
    return row.beside(obj) if row else ""


def _without_subject(obj: Manifest) -> str:
    if kind_of(obj) in {
        (row.group, row.kind) for group, rows in REFERRED.items() for row in rows if row.group == group
    }:
        return "it selects no pods itself: a change of it reaches every policy that refers to it at once"
    return "its kind is none whose pods can be narrowed"
