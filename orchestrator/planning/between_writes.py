"""What may show between the writes of one place, and is said before anything is written.

The order of writes is exact for NetworkPolicies, which are the same for everybody: it follows from their selectors, for any
pod that may come. With policies of other kinds beside them it is not, and none is made up for them:

- A temporary policy that allows all covers the pods that only one end isolates. Where a policy of another kind isolates them
  all along, it opens them, and would not be needed. Which those are, only these kinds say. Asked for when it is written, a
  way back would wait for the API server of their CNI, which may be what the change cut off, and a guard without the right to
  list them would walk another way than the engine whose place it takes. Frozen with the plan, it would be of the state of
  then: where such a policy has gone since, its pods would be cut off for that moment, and connections that both ends allow
  would break. To open for a moment what is said beforehand is the lesser evil.
- Of several objects of which not all are NetworkPolicies each stands by itself meanwhile. What is new is written first and
  what goes is deleted last, so that a rule that moves stands in both. But an object that isolates its pods, or denies, may
  so be in force before the one that lets others in; which is which depends on the order of each CNI.

One such change is exact: a policy that comes and one that goes, of Cilium or NetworkPolicies, both of one direction. Cilium
joins policies, denials first: while both stand, what both ends allow is denied by neither and allowed by whichever isolates
the pod, and what both deny is denied by one of them, or isolated and allowed by neither. In two directions a connection
could leave by the one policy and enter by the other.
"""

from collections.abc import Callable, Sequence

from orchestrator.context import POLICY
from orchestrator.policy.files.manifest import Document, Unlisted
from orchestrator.policy.objects.directions import Direction, directions
from orchestrator.policy.schemas.policy_kinds import CILIUM, closes, group_of
from orchestrator.policy.writes import write_order
from orchestrator.policy.writes.bridges import BRIDGE_LABEL
from orchestrator.rollout.order.plan import NamespacePlan
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Manifest


def note(item: NamespacePlan, live: Sequence[Manifest], further: Callable[[], Sequence[Document]]) -> str:
    """What may show in one place, in words; empty where nothing can.

    `live` are its objects of the source's kinds, `further` gives the policies of further kinds as they stand now.
    """
    name, changes, standing = item.name, item.changes, objects.by_key(live)
    before, after = (
        [o for c in changes if (o := getattr(c, end)) is not None] for end in ("before", "after")
    )
    touched = {objects.key(o) for o in (*before, *after)}
    others = sorted({f"{k[0]} {k[1]}" for k in touched if k[:2] != tuple(POLICY)})
    if others and len(touched) > 1 and not _joined(before, after):
        return f"{name}: {write_order.BRIEFLY} (one object after another, as for {', '.join(others)})"
    old, new = ([o for o in some if POLICY.means(o)] for some in (before, after))
    unchanged = [o for k, o in standing.items() if k not in touched and POLICY.means(o)]
    order = write_order.steps(name, old, new, unchanged, "plan")
    if order.note or not any(map(_opens, order.writes)):
        return order.note
    if any(closes(d.obj) for d in further() if d.obj["metadata"].get("namespace", name) == name):
        return f"{name}: {write_order.BRIEFLY} (temporary policies that allow all open what policies of other kinds close)"
    unknown = ", ".join(d.obj["kind"].removesuffix("List") for d in further() if isinstance(d, Unlisted))
    if unknown:
        return f"{name}: {write_order.BRIEFLY} (what policies close that may not be listed is not known: {unknown})"
    return ""


def _joined(before: Sequence[Manifest], after: Sequence[Manifest]) -> bool:
    """Whether one policy comes and another goes, both of one and the same direction, and Cilium joins the two."""
    if len(before) != 1 or len(after) != 1 or objects.key(before[0]) == objects.key(after[0]):
        return False
    both = (before[0], after[0])
    joins = all(POLICY.means(o) or group_of(str(o["apiVersion"])) == CILIUM for o in both)
    return joins and len({side for o in both for side in _sides(o)}) == 1


def _sides(policy: Manifest) -> set[Direction]:
    """The directions of which a NetworkPolicy or a policy of Cilium says anything."""
    specs = [policy.get("spec") or {}, *(policy.get("specs") or [])]
    said = {key for spec in specs for key in (*spec, *(spec.get("enableDefaultDeny") or {}))}
    found = {side for side in Direction if said & {side.part, f"{side.part}Deny"}}
    return found | set(directions(policy)) if POLICY.means(policy) else found


def _opens(write: write_order.Write) -> bool:
    """Whether it makes a temporary policy that allows all."""
    spec, labels = write.obj.get("spec") or {}, write.obj["metadata"].get("labels") or {}
    return BRIDGE_LABEL in labels and [{}] in (spec.get("ingress"), spec.get("egress"))
