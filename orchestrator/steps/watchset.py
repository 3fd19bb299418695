"""Who is watched while a wave settles: its namespaces, those they talk to, and controls."""

from __future__ import annotations

import json

from orchestrator.errors import ApiError
from orchestrator.policy.evaluator import Network
from orchestrator.policy.reachability import neighbours, pods_of
from orchestrator.ports import Kind, Manifest
from orchestrator.rollout.next import State
from orchestrator.steps.context import NAMESPACE, POLICY, Context

POD = Kind("v1", "Pod")
MOST_CONTROLS = 20


def watch_set(ctx: Context, state: State, wave: int) -> tuple[list[str], list[str]]:
    """Watched namespaces (the wave's first), and controls: connected to nothing that changes."""
    mine = state.wave_names(wave)
    try:
        pods = pods_of(ctx.cluster.list(POD))
    except ApiError:
        return mine, []
    spaces = {
        str(o["metadata"]["name"]): dict(o["metadata"].get("labels") or {})
        for o in ctx.cluster.list(NAMESPACE)
    }
    live = ctx.cluster.list(POLICY)
    before, after = Network(spaces, live), Network(spaces, _overlaid(state, mine, live))
    found = neighbours(pods, before, after, frozenset(mine))
    everyone = {n.name for w in state.rollout.spec.waves for n in w.namespaces}
    busy = {p.namespace for p in pods}
    controls = sorted(n for n in busy - found.connected - everyone if not n.startswith("kube-"))
    return [*mine, *sorted(found.affected)], controls[:MOST_CONTROLS]


def _overlaid(state: State, names: list[str], live: list[Manifest]) -> list[Manifest]:
    standing = {(str(o["metadata"]["namespace"]), str(o["metadata"]["name"])): o for o in live}
    for name in names:
        if name not in state.namespaces:
            continue
        spec = state.namespaces[name].spec
        for text in spec.before:
            standing.pop((name, json.loads(text)["metadata"]["name"]), None)
        for text in spec.after:
            obj = json.loads(text)
            if obj["kind"] == POLICY.kind:
                standing[name, obj["metadata"]["name"]] = obj
    return list(standing.values())
