"""Old and new policies side by side: the pods of a scope under the new ones, all others under the old ones.

NetworkPolicies and the policies of Cilium are a union. Those of the other APIs decide in an order: two of one place whose
subjects are disjoint are never asked about the same pod.
"""

from collections.abc import Sequence
from typing import Any

from orchestrator.policy.narrow.narrowed_kinds import halves, meant_beside
from orchestrator.policy.narrow.part_names import NARROWED_FROM, PartNames, sorted_by_name
from orchestrator.policy.narrow.scoped_pods import Scope, Unnarrowable, check

__all__ = ["NARROWED_FROM", "Scope", "Unnarrowable", "means_beside_pods", "split"]
Manifest = dict[str, Any]


def split(before: Sequence[Manifest], after: Sequence[Manifest], scope: Scope) -> list[Manifest]:
    """The objects with which the pods of the scope are under `after`, and all others under `before`. Raises Unnarrowable.

    Both hold only the objects that differ, of one namespace or of the whole cluster. What is outside has the name of its object.
    What a scope leaves whole stays as it is, without an annotation. Sorted by kind and name.
    """
    check(scope)
    same = [obj for obj in before if obj in after]
    old, new = (sorted_by_name(obj for obj in some if obj not in same) for some in (before, after))
    names, found = PartNames([*before, *after]), same
    for obj in old:
        found += names.outside(obj, halves(obj, scope)[1])
    for obj in new:
        found += names.inside(obj, halves(obj, scope)[0])
    return sorted_by_name(found)


def means_beside_pods(obj: Manifest) -> str:
    """What an object selects beside pods, in words; empty for nothing. It is in no namespace, and outside of every scope."""
    return meant_beside(obj)
