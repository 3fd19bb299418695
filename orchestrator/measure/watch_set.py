"""What a wave is judged by: who is watched, whom it is compared with, what it changes, what is tried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.adapters.kube.cni import settled
from orchestrator.adapters.kube.workloads import documents
from orchestrator.context import Context
from orchestrator.errors import Forbidden
from orchestrator.measure.rule_lines import Lines
from orchestrator.planning.concerned import concerned
from orchestrator.planning.forecast import unworkable
from orchestrator.planning.frozen.frozen_connections import edge
from orchestrator.planning.probe_draw import drawn
from orchestrator.policy.author import probing
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.connection_diff import Change, changes
from orchestrator.policy.network.connections import Connection, table
from orchestrator.policy.network.left_open import left_open, told
from orchestrator.policy.schemas.policy_kinds import is_policy
from orchestrator.policy.workloads.comparable import asked_alike, unread_policies
from orchestrator.policy.workloads.fleet import Fleet, Workload, fleet
from orchestrator.rollout.next import State
from orchestrator.rollout.order.write_turns import ends
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.bounds import built, most
from orchestrator.rollout.resources.places import CLUSTER, place, spaces
from orchestrator.wording import agreeing, few, many

UNKNOWN = "who is connected is not known"
MOST_CONTROLS = 20
MOST_WATCHED = most(m.WaveAnalysisSpec, "watched")
MOST_NOTE, MOST_UNREAD = 1000, 3  # characters of a note; policies that are named


@dataclass(frozen=True)
class WatchSet:
    """Watched namespaces (the wave's first) and controls: connected to nothing that changes."""

    watched: Sequence[str]
    controls: Sequence[str] = ()
    edges: Sequence[m.WaveEdge] = ()
    probes: Sequence[m.WaveProbe] = ()
    notes: Sequence[str] = field(default=())


def watch_set(ctx: Context, state: State, wave: int, probes: bool) -> WatchSet:
    """Worked out over the cluster as it stands, with earlier waves applied; `probes` where they can run."""
    plan = state.rollout.spec.strategy.analysis
    mine = state.wave_names(wave)
    source = state.rollout.spec.selected if CLUSTER in mine else []
    asked = list(dict.fromkeys([*spaces(mine), *source, *plan.watch]))
    declared = [_declared(p) for p in plan.probes]
    try:
        standing = list(documents(ctx.cluster))
    except Forbidden as error:
        return WatchSet(asked, probes=declared, notes=[f"{UNKNOWN}: {error}"[:MOST_NOTE]])
    cni = state.rollout.spec.strategy.cni
    states = (standing, _overlaid(state, wave, standing))
    old, new = asked_alike(*(fleet(documents_, live=True).under(cni) for documents_ in states))
    changed = concerned(mine, new)
    unknown = left_open(old, new)
    notes = [*_scoped(state, wave, standing), *_some([*unread_policies(new)]), *_some(told(unknown))]
    if too_much := unworkable(old, new, changed):
        return WatchSet(asked, probes=declared, notes=[f"{UNKNOWN}: {too_much}", *notes])
    reading = settled(cni)
    before, after = (table(f, reading, touched=changed, replicas=True) for f in (old, new))
    connected, affected = _neighbours((before, after))
    if CLUSTER in mine and affected and not unknown:  # all of it that changes is known
        asked = list(dict.fromkeys([*spaces(mine), *plan.watch]))
    everyone = set(state.rollout.spec.namespace_names)
    connected |= _earlier(state, wave, new, reading)
    busy = {w.pod.namespace for w in old.workloads}
    controls = sorted(n for n in busy - connected - everyone - set(asked) if not n.startswith("kube-"))
    moved = changes(old, new, reading, _commits(state, wave), replicas=True)
    lines = Lines(state, wave)
    chosen = probing.Chosen(())
    if probes and plan.probing.edges:
        apart = [*controls, *sorted(busy - changed - set(controls))]
        seed = f"{state.rollout.name}/{wave}"
        chosen = drawn((old, new), (before, after), moved, changed, apart, seed, plan, reading)
    watched = [*asked, *sorted(affected - set(asked))]
    if left := len(watched[MOST_WATCHED:]):
        notes.append(f"{many(left, 'more namespace')} {agreeing(left, 'is', 'are')} not watched")
    return WatchSet(
        watched[:MOST_WATCHED],
        controls[:MOST_CONTROLS],
        [_edge(c, wave, lines) for c in moved],
        [*declared, *_attempted(chosen.attempts, {p.name for p in declared})],
        [
            *chosen.notes,
            *notes,
        ],
    )


def _scoped(state: State, wave: int, standing: Sequence[Document]) -> Iterator[str]:
    """Which pods a wave changes, where it does not change all of a namespace."""
    pods = [d.obj["metadata"] for d in standing if d.obj["kind"] == "Pod"]
    for written in state.rollout.spec.waves[wave].namespaces:
        for name in (written.covers or [written.name]) if written.pods else ():
            here = [meta for meta in pods if meta.get("namespace") == name]
            mine = [str(meta["name"]) for meta in here if _bears(meta.get("labels") or {}, written.pods)]
            yield f"the change comes to {len(mine)} of {many(len(here), 'pod')} of {name}: {few(mine, 5)}"


def _bears(labels: Mapping[str, str], wanted: Sequence[m.Label]) -> bool:
    return all(labels.get(label.key) == label.value for label in wanted)


def _some(texts: Sequence[str]) -> list[str]:
    """The first of what was not analysed, and how much more there is."""
    shown = [text[:MOST_NOTE] for text in texts[:MOST_UNREAD]]
    left = len(texts) - MOST_UNREAD
    return (
        [*shown, f"{left} more {agreeing(left, 'is', 'are')} not analysed: a plan names them"]
        if left > 0
        else shown
    )


def _neighbours(tables: Sequence[Mapping[tuple[str, str], Connection]]) -> tuple[set[str], set[str]]:
    """The namespaces connected with what changes, before or after; and those whose connections it touches."""
    connected: set[str] = set()
    affected: set[str] = set()
    for key in {**tables[0], **tables[1]}:
        before, after = (t.get(key) for t in tables)
        some = before or after
        assert some is not None
        spaces = {e.pod.namespace for e in (some.src, some.dst) if isinstance(e, Workload)}
        connected |= spaces
        if before is None or after is None or before.ports != after.ports:
            affected |= spaces
    return connected, affected


def _earlier(state: State, wave: int, standing: Fleet, reading: Mapping[str, bool]) -> set[str]:
    """Who is connected with what earlier waves changed: they may be hurt already, and are no controls."""
    names = frozenset(n for w in range(wave) for n in state.wave_names(w))
    found = table(standing, reading, touched=names) if names else {}
    return {e.pod.namespace for c in found.values() for e in (c.src, c.dst) if isinstance(e, Workload)}


def _declared(spec: m.ProbeSpec) -> m.WaveProbe:
    role: m.ProbeRole = "declared"
    if spec.control:
        role = "mustPass" if spec.expect == "reach" else "mustNotPass"
    kept = spec.model_dump(include={"name", "source", "destination", "port", "protocol", "check", "expect"})
    return m.WaveProbe(role=role, **kept)


def _attempted(attempts: Sequence[probing.Attempt], taken: set[str]) -> list[m.WaveProbe]:
    return [
        built(
            m.WaveProbe,
            name=attempt.name,
            role=attempt.role,
            source=probing.place(attempt.src),
            destination=probing.place(attempt.dst),
            port=attempt.port,
            protocol=attempt.protocol,
            check=attempt.check,
            before=attempt.before,
            expect=attempt.expect,
        )
        for attempt in attempts
        if attempt.name not in taken
    ]


def _edge(change: Change, wave: int, lines: Lines) -> m.WaveEdge:
    because = (*(lines.named(text) for text in change.because), change.note)
    return edge(change.src.name, change.dst.name, change, because, wave)


def _commits(state: State, wave: int) -> dict[str, str]:
    """The commit that last changed a file, by the file's path."""
    found = [c for n in state.in_wave(wave) for c in n.spec.changes]
    return {c.file.rpartition(":")[0]: c.commit for c in found if c.file and c.commit}


def _overlaid(state: State, wave: int, standing: Sequence[Document]) -> Iterator[Document]:
    """The cluster as it is when the wave has changed; the policies say where in Git they stand."""
    items = state.in_wave(wave)
    stands: dict[tuple[str, objects.Key], objects.Manifest | None] = {}
    for item in items:  # a place that was opened for several of its waves is what the last one makes of it
        before, after = ends(item)
        stands |= {(place(obj), key): after.get(key) for key, obj in (before | after).items()}
    files = {(i.spec.namespace, c.object): c.file for i in items for c in i.spec.changes}
    for document in standing:
        if (place(document.obj), objects.key(document.obj)) not in stands:
            yield document
    for obj in (o for o in stands.values() if o is not None and is_policy(o)):
        found = files.get((place(obj), objects.label(obj)), "")
        path, _, line = found.rpartition(":")
        yield Document(obj, path or "the change", int(line) if line.isdigit() else 1)
