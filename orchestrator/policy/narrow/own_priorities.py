"""AdminNetworkPolicies of which each has a priority of its own, as OVN-Kubernetes wants it, though one stands for some of their pods."""

from collections.abc import Collection, Sequence
from typing import Any

from orchestrator.policy.narrow.part_names import NARROWED_FROM
from orchestrator.policy.narrow.scoped_pods import Unnarrowable

Manifest = dict[str, Any]
KIND, LAST = "AdminNetworkPolicy", 99


def apart(policies: Sequence[Manifest], taken: Collection[int]) -> list[Manifest]:
    """The same policies; those that are parts of others have a free priority next to theirs. Raises Unnarrowable where none is free.

    `taken` are the priorities of all others. Of two parts of one policy it does not matter which comes first: they are about no
    pod in common.
    """
    whole = [_priority(p) for p in policies if _counts(p) and not _is_part(p)]
    used, found = {*taken, *whole}, []
    for policy in policies:
        if _counts(policy) and _is_part(policy):
            number = _free(policy, used)
            used.add(number)
            policy = {**policy, "spec": {**policy["spec"], "priority": number}}
        found.append(policy)
    return found


def _counts(policy: Manifest) -> bool:
    return str(policy["kind"]) == KIND


def _is_part(policy: Manifest) -> bool:
    """Whether it has another name than the policy that it is a part of."""
    meta = policy["metadata"]
    origin = (meta.get("annotations") or {}).get(NARROWED_FROM)
    return origin is not None and str(origin) != str(meta["name"])


def _priority(policy: Manifest) -> int:
    return int(policy["spec"]["priority"])


def _free(policy: Manifest, used: Collection[int]) -> int:
    """Its own where nobody has it, else the next one up or down with no other policy in between."""
    own = _priority(policy)
    near = [own] if own not in used else [n for n in (own + 1, own - 1) if 0 <= n <= LAST and n not in used]
    if not near:
        name = (policy["metadata"].get("annotations") or {})[NARROWED_FROM]
        raise Unnarrowable(
            f"{KIND} {name} of priority {own} has no free priority beside it, and each needs one of its own"
        )
    return near[0]
