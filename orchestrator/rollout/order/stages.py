"""Places that change for some of their pods at a time: what stands there after each of their waves, and what each one writes.

For the pods that have come to the new policies those hold, for all others the old ones; both are written with narrowed subjects.
In the last wave the policies are as Git has them. Pure, and the same whoever asks: a plan and its rollout work it out alike.
"""

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.policy.narrow.own_priorities import apart
from orchestrator.policy.narrow.scopes import NARROWED_FROM, Scope, split
from orchestrator.policy.writes.unions import both
from orchestrator.rollout.order.plan import NamespacePlan, ObjectChange
from orchestrator.rollout.order.waves import Part, PlannedWave, selector_of
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.places import CLUSTER, stage, whole


def parts(namespaces: Mapping[str, NamespacePlan], waves: Sequence[PlannedWave]) -> dict[str, NamespacePlan]:
    """What each wave writes to the places that change in several, by their names in the wave. Raises Unnarrowable, or Inexact."""
    found = {}
    for name in {whole(p) for wave in waves for p in wave.namespaces if stage(p)}:
        item = namespaces[name]
        stands: Sequence[Manifest] = item.before
        for place, part in _of_place(name, waves):
            follows = item.after if place == name else _between(item, name, part, waves)
            found[place] = NamespacePlan(
                name, item.uid, tuple(_steps(item, stands, follows)), stage=stage(place)
            )
            stands = follows
    return found


def _ours(item: NamespacePlan, some: Sequence[Manifest]) -> list[Manifest]:
    """Objects as they are written; those that are neither before nor after bear our marks alone, so that nobody else takes them for his."""
    ends = (*item.before, *item.after)
    known = {objects.key(o) for o in ends}
    labels = {objects.SOURCE_LABEL: next((name for o in ends if (name := objects.owner(o))), "")}
    found = []
    for obj in map(objects.bare, some):
        if objects.key(obj) not in known:
            meta = {k: v for k, v in obj["metadata"].items() if k in ("name", "namespace")}
            notes = obj["metadata"].get("annotations") or {}
            marks = {NARROWED_FROM: notes[NARROWED_FROM]} if NARROWED_FROM in notes else {}
            obj["metadata"] = {**meta, "labels": labels, **({"annotations": marks} if marks else {})}
        found.append(obj)
    return found


def _of_place(name: str, waves: Sequence[PlannedWave]) -> Iterator[tuple[str, Part]]:
    for wave in waves:
        yield from ((p, wave.part(p)) for p in wave.namespaces if whole(p) == name)


def _scope(name: str, part: Part, waves: Sequence[PlannedWave]) -> Scope:
    """The pods under the new policies once this part is written."""
    selector = selector_of(part.pods)
    if name != CLUSTER:
        return Scope(None, selector)
    reached = set(part.covers)
    for _, earlier in _of_place(name, waves):
        if earlier is part:
            break
        reached |= set(() if earlier.pods else earlier.covers)
    return Scope(frozenset(reached), selector)


def _between(item: NamespacePlan, name: str, part: Part, waves: Sequence[PlannedWave]) -> Sequence[Manifest]:
    if part.both:
        return _ours(item, both(item.before, item.after, item.other_policies))
    return narrowed(item, _scope(name, part, waves))


def narrowed(item: NamespacePlan, scope: Scope) -> list[Manifest]:
    """Both sets of a place with narrowed subjects, as they are written. Raises Unnarrowable."""
    found = split(item.before, item.after, scope, item.others)
    if item.most_priority is not None:
        found = apart(found, item.others, item.most_priority)
    return _ours(item, found)


def _steps(
    item: NamespacePlan, before: Sequence[Manifest], after: Sequence[Manifest]
) -> Iterator[ObjectChange]:
    """What differs, and where in Git that comes from."""
    files = {objects.key(o): c.file for c in item.changes for o in (c.before, c.after) if o is not None}
    old, new = objects.by_key(before), objects.by_key(after)
    for key in sorted({*old, *new}):
        one, other = old.get(key), new.get(key)
        if not objects.same(one, other):
            yield ObjectChange(one, other, files.get(_origin(key, other or one or {}), ""))


def _origin(key: objects.Key, obj: Manifest) -> objects.Key:
    """The policy that one stands for."""
    notes = obj.get("metadata", {}).get("annotations") or {}
    return (*key[:2], str(notes.get(NARROWED_FROM, key[2])))
