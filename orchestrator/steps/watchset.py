"""Who is watched while a wave settles: its namespaces, those they talk to, and controls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from orchestrator.adapters.live import documents
from orchestrator.errors import ApiError
from orchestrator.policy.connections import table
from orchestrator.policy.fleet import Workload, fleet
from orchestrator.policy.manifest import Document
from orchestrator.rollout.next import State
from orchestrator.steps.context import POLICY, Context
from orchestrator.steps.forecast import MOST_WORK

MOST_CONTROLS = 20


def watch_set(ctx: Context, state: State, wave: int) -> tuple[list[str], list[str]]:
    """Watched namespaces (the wave's first), and controls: connected to nothing that changes."""
    mine = state.wave_names(wave)
    try:
        standing = list(documents(ctx.cluster))
    except ApiError:
        return mine, []
    changed = frozenset(mine)
    old, new = fleet(standing), fleet(_overlaid(state, mine, standing))
    near = sum(w.pod.namespace in changed for w in old.workloads)
    if near * len(old.workloads) > MOST_WORK:
        return mine, []
    tables = [table(f, None, (), touched=changed) for f in (old, new)]
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
    everyone = {n.name for w in state.rollout.spec.waves for n in w.namespaces}
    busy = {w.pod.namespace for w in old.workloads}
    controls = sorted(n for n in busy - connected - everyone if not n.startswith("kube-"))
    return [*mine, *sorted(affected - changed)], controls[:MOST_CONTROLS]


def _overlaid(state: State, names: list[str], standing: Sequence[Document]) -> Iterator[Document]:
    """The cluster as it is when the wave has changed."""
    specs = [state.namespaces[n].spec for n in names if n in state.namespaces]
    before, after = ([json.loads(t) for s in specs for t in getattr(s, end)] for end in ("before", "after"))
    gone = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]) for o in (*before, *after)}
    for document in standing:
        meta = document.obj["metadata"]
        if (document.obj["kind"], meta.get("namespace"), meta["name"]) not in gone:
            yield document
    yield from (Document(o, "the change", 1) for o in after if o["kind"] == POLICY.kind)
