"""Old and new policies side by side: the pods of a scope under the new ones, all others under the old ones.

NetworkPolicies and the policies of Cilium are a union. Those of the other APIs decide in an order: two of one place whose
subjects are disjoint are never asked about the same pod.
"""

from collections.abc import Sequence
from typing import Any

from orchestrator.policy.files.doubles import title
from orchestrator.policy.narrow.name_order import moved
from orchestrator.policy.narrow.narrowed_kinds import halves, means_beside_pods
from orchestrator.policy.narrow.part_names import NARROWED_FROM, PartNames, key_of, sorted_by_name
from orchestrator.policy.narrow.scoped_pods import Scope, Unnarrowable, check, refusal

__all__ = ["NARROWED_FROM", "Scope", "Unnarrowable", "means_beside_pods", "split"]
Manifest = dict[str, Any]
_ORDER = "it has the order of {}, so that names say which comes first, and a part has another name: give one another order"


def split(
    before: Sequence[Manifest], after: Sequence[Manifest], scope: Scope, beside: Sequence[Manifest] = ()
) -> list[Manifest]:
    """The objects with which the pods of the scope are under `after`, and all others under `before`. Raises Unnarrowable.

    Both hold only the objects that differ, of one namespace or of the whole cluster. What is outside has the name of its object.
    What a scope leaves whole stays as it is, without an annotation. Sorted by kind and name.

    `beside` is whatever else bears on these pods and does not change: no part takes a name of theirs, nor another place among them.
    """
    check(scope)
    wanted = {key_of(obj): obj for obj in after}
    same = {key_of(obj): obj for obj in before if obj == wanted.get(key_of(obj))}
    old, new = (sorted_by_name(obj for obj in some if key_of(obj) not in same) for some in (before, after))
    names, beside = PartNames([*before, *after, *beside]), [*beside, *same.values()]
    rest = [(part, obj) for obj in old for part in names.outside(obj, halves(obj, scope)[1])]
    some = [(part, obj) for obj in new for part in names.inside(obj, halves(obj, scope)[0])]
    for pair in filter(None, (moved(parts, beside) for parts in (rest, some))):
        raise refusal(pair[0], _ORDER.format(title(pair[1])))
    return sorted_by_name([*same.values(), *(part for part, _ in [*rest, *some])])
