"""Work out a plan: what a revision asks for, against what stands in the cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from orchestrator.adapters.kube.cni import detected
from orchestrator.adapters.kube.workloads import further_policies
from orchestrator.context import POLICY, Context
from orchestrator.errors import ApiError, BadInput, Conflict
from orchestrator.planning.between_writes import note
from orchestrator.planning.by_parts import by_parts
from orchestrator.planning.frozen.frozen_namespace import holdable
from orchestrator.planning.ownership import conflict
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.files.manifest import below
from orchestrator.policy.files.touched_field import touched_field
from orchestrator.policy.narrow.scopes import Unnarrowable
from orchestrator.policy.schemas.policy_kinds import clusterwide
from orchestrator.policy.schemas.schema import with_defaults
from orchestrator.policy.writes.intersect import Inexact
from orchestrator.ports import Kind
from orchestrator.rollout.layout import AT_ONCE, Placed, arrange
from orchestrator.rollout.order.plan import NamespacePlan, ObjectChange, Observed, Plan
from orchestrator.rollout.order.stages import parts
from orchestrator.rollout.order.waves import PlannedWave
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.places import CLUSTER, place
from orchestrator.rollout.resources.resource import Source
from orchestrator.sources.selection import selected as selected
from orchestrator.sources.selection import selection
from orchestrator.wording import first

MOST_NOTES = 20
LAST_OF_OVN = 99  # of the priorities of AdminNetworkPolicies that OVN-Kubernetes enforces, each of one alone


def plan(
    ctx: Context,
    source: Source,
    revision: str,
    only: frozenset[str] = frozenset(),
    left: frozenset[str] = frozenset(),
) -> Plan:
    """The plan of a source at a full commit id. Raises BadInput for what the commit holds, or the source selects.

    `left` names namespaces that were the source's when this revision was verified: what Git holds for those that are
    not its own any more is passed over.
    """
    chosen = selection(ctx, source)
    chosen.check(source, left)
    namespaces, cluster = chosen.namespaces, _cluster(source)
    kinds = [Kind(k.api_version, k.kind) for k in source.spec.kinds]
    labels = {n: dict(o["metadata"].get("labels") or {}) for n, o in namespaces.items()}
    files = ctx.repository(source).files(revision)
    wanted = [(k.api_version, k.kind) for k in kinds]
    desired = arrange(
        files,
        labels,
        wanted,
        source.spec.shared,
        left - chosen.namespaces.keys(),
        chosen.others,
        bool(cluster),
    )
    places = {**namespaces, **cluster}
    live: dict[str, list[Manifest]] = {name: [] for name in places}
    for kind in kinds:
        for obj in ctx.cluster.list(kind):
            live.setdefault(place(obj), []).append(obj)
    names = sorted(n for n in places if not only or n in only)
    plans = ctx.each(
        lambda name: _namespace(ctx, source, places[name], live[name], desired.get(name, [])),
        names,
        source.spec.strategy.max_parallel,
    )
    further = cache(lambda: further_policies(ctx.cluster))  # asked for where it matters alone
    plans = [replace(p, note=note(p, live[p.name], further)) for p in plans]
    fields = Places(files, read=True)
    changed = {p.name: _at_fields(p, fields, below(files)) for p in plans if p.changes}
    if CLUSTER in changed and detected(ctx.cluster, source.spec.strategy.cni) == "ovn-kubernetes":
        changed[CLUSTER] = replace(changed[CLUSTER], most_priority=LAST_OF_OVN)
    found = by_parts(ctx, Plan(source.name, revision, (), changed), labels, source.spec.strategy)
    parts = {
        place: replace(item, note=note(item, live[item.name], further))
        for place, item in in_parts(changed, found.waves).items()
    }
    observed = tuple(o for p in plans for o in p.observed)
    remarks = tuple(text for p in plans for text in p.remarks)
    _acceptable(ctx, changed, parts)
    return Plan(
        source.name,
        revision,
        tuple(found.waves),
        changed,
        observed,
        remarks,
        selected=tuple(sorted(namespaces)),
        notes=_notes(files, desired),
        parts=parts,
        at_once=found.at_once,
        late=found.late,
        followed=found.followed,
    )


def _acceptable(
    ctx: Context, changed: Mapping[str, NamespacePlan], parts: Mapping[str, NamespacePlan]
) -> None:
    """Raises BadInput for narrowed policies that the API server would not take, before anything is written."""
    tried = set()
    for item in parts.values():
        known = objects.by_key([*changed[item.name].before, *changed[item.name].after])
        for change in item.changes:
            if change.before is not None or change.after is None:
                continue
            key = (item.name, objects.key(change.after))
            if key[1] in known or key in tried:
                continue
            tried.add(key)
            _tried(ctx, change.after, f"{item.name}/{change.label}", change.file)


def _tried(ctx: Context, obj: Manifest, name: str, where: str) -> None:
    try:
        ctx.cluster.create(obj, dry_run=True)
    except Conflict:
        hint = "rename it: some pods come to the new policies by an object of that name"
        raise BadInput(f"{name} exists already", where, hint) from None
    except ApiError as error:
        if error.status in (400, 422):
            raise BadInput(f"{name}, narrowed to some pods: {error}", where) from None
        raise


def in_parts(changed: Mapping[str, NamespacePlan], waves: Sequence[PlannedWave]) -> dict[str, NamespacePlan]:
    """What single waves write to places that change in several. Raises BadInput where a record could not hold it."""
    try:
        found = parts(changed, waves)
    except (Unnarrowable, Inexact) as why:
        raise BadInput(str(why), "strategy") from None
    for item in found.values():
        holdable(item)
    return found


def _cluster(source: Source) -> dict[str, Manifest]:
    """The whole cluster as a place beside the namespaces, where the source may write there. Raises BadInput for kinds."""
    wide = [k for k in source.spec.kinds if clusterwide({"apiVersion": k.api_version, "kind": k.kind})]
    if source.spec.strategy.cluster_wide != "refuse":
        return {CLUSTER: {"metadata": {"name": CLUSTER, "uid": CLUSTER}}}
    if wide:
        where = f"PolicySource {source.name}, spec.kinds"
        raise BadInput(f"{wide[0].kind} is for the whole cluster", where, AT_ONCE)
    return {}


def _notes(files: Mapping[str, bytes], desired: Mapping[str, Sequence[Placed]]) -> tuple[str, ...]:
    """What of the commit is left out, for people."""
    passed = getattr(files, "passed", "")
    found = [f"passed over: {passed}"] if passed else []
    each = {(p.file, p.line, objects.label(p.obj)): p.obj for placed in desired.values() for p in placed}
    for (file, line, name), obj in each.items():
        if dropped := objects.left_out(obj):
            found.append(f"{file}:{line}: {name}: left out: {', '.join(dropped)[:500]}")
    return tuple(first(found, MOST_NOTES))


def _namespace(
    ctx: Context, source: Source, namespace: Manifest, live: Sequence[Manifest], placed: Sequence[Placed]
) -> NamespacePlan:
    name = str(namespace["metadata"]["name"])
    standing = objects.by_key(live)
    changes: list[ObjectChange] = []
    observed: list[Observed] = []
    remarks: list[str] = []
    wanted = set()
    for item in placed:
        obj = objects.owned(item.obj, name, source.name)
        where = f"{item.file}:{item.line}"
        wanted.add(objects.key(obj))
        before = standing.get(objects.key(obj))
        found = conflict(source, before, name, where)
        remarks += [found.remark] if found.remark else []
        after = _stored(ctx, obj, before, where)
        if before is not None and found.observed_of:
            seen = ObjectChange(objects.bare(before), objects.unowned(after), where)
            observed.append(Observed(name, seen, found.observed_of))
        elif not objects.same(before, after):
            changes.append(ObjectChange(objects.bare(before) if before else None, after, where))
    for identity, obj in sorted(standing.items()):
        if objects.owner(obj) == source.name and identity not in wanted:
            changes.append(ObjectChange(objects.bare(obj), None))
    uid = str(namespace["metadata"].get("uid", ""))
    touched = {objects.key(o) for c in changes for o in (c.before, c.after) if o is not None}
    others = tuple(objects.bare(o) for k, o in standing.items() if k not in touched)
    result = NamespacePlan(name, uid, tuple(changes), "", tuple(observed), tuple(remarks), others=others)
    holdable(result)
    return result


def _at_fields(item: NamespacePlan, places: Places, root: str) -> NamespacePlan:
    """With policies that change named at the first field that differs, no more at their first line."""
    return replace(item, changes=tuple(_at_field(change, places, root) for change in item.changes))


def _at_field(change: ObjectChange, places: Places, root: str) -> ObjectChange:
    before, after = change.before, change.after
    if before is None or after is None or not POLICY.means(after) or not change.file:
        return change
    field = touched_field(before["spec"], after["spec"])
    if field in ("", "spec"):
        return change
    holder, labels, _ = field.partition(".matchLabels.")  # keys of labels have dots of their own
    meta = after["metadata"]
    name = f"{POLICY.kind} {meta['namespace']}/{meta['name']}"
    line = places.of(f"{root}{change.file}", name, f"spec.{holder}{labels.rstrip('.')}").line
    return replace(change, file=f"{change.file.rpartition(':')[0]}:{line}")


def _stored(ctx: Context, obj: Manifest, before: Manifest | None, where: str) -> Manifest:
    """The object as the API server would store it; it is asked only where the answer is not plain."""
    wanted = objects.merged(obj, before)
    plain = with_defaults(wanted) if POLICY.means(wanted) else wanted
    if before is not None and objects.same(plain, before):
        return objects.bare(before)
    try:
        if before is None:
            return objects.bare(ctx.cluster.create(wanted, dry_run=True))
        wanted["metadata"] = {**wanted["metadata"], "resourceVersion": before["metadata"]["resourceVersion"]}
        return objects.bare(ctx.cluster.replace(wanted, dry_run=True))
    except ApiError as error:
        if error.status in (400, 422):
            raise BadInput(str(error), where, "correct the manifest") from None
        raise
