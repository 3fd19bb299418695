"""Namespaces that are deleted while a wave is watched: they say nothing any more, and the next wave waits for a person."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from orchestrator.context import NAMESPACE, Context, namespace_uid
from orchestrator.errors import Forbidden
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.wording import few

MOST_NAMED = 5


def vanished(ctx: Context, state: State, analysis: WaveAnalysis) -> frozenset[str]:
    """Of the wave's namespaces and the watched ones those that are gone, are going, or are others of the same name."""
    wave = state.wave_names(analysis.spec.wave)
    names = dict.fromkeys([*wave, *analysis.spec.watched, *analysis.spec.control_group])
    frozen = {n.spec.namespace: n.spec.namespace_uid for n in state.in_wave(analysis.spec.wave)}
    try:
        standing = {str(o["metadata"]["name"]): o["metadata"] for o in ctx.cluster.list(NAMESPACE)}
    except Forbidden:
        return frozenset()
    doubtful = [
        name
        for name in names
        if name not in standing
        or standing[name].get("deletionTimestamp")
        or frozen.get(name, "") not in ("", standing[name].get("uid", ""))
    ]
    # One by one, since a list may be cut short or late.
    return frozenset(n for n in doubtful if (uid := namespace_uid(ctx, n)) != frozen.get(n, uid) or not uid)


def remaining(analysis: WaveAnalysis, gone: Collection[str]) -> WaveAnalysis:
    """The analysis with what can still be watched, compared with and probed."""
    if not gone:
        return analysis
    spec = analysis.spec
    kept = {
        "watched": [n for n in spec.watched if n not in gone],
        "control_group": [n for n in spec.control_group if n not in gone],
        "probes": [p for p in spec.probes if not {_space(p.source), _space(p.destination)} & set(gone)],
    }
    return replace(analysis, spec=spec.model_copy(update=kept))


def _space(end: str) -> str:
    """The namespace of `namespace/workload`; an address or a host name is none."""
    return end.partition("/")[0] if "/" in end else ""


def known(records: Sequence[m.MeasurementRecord], gone: Collection[str]) -> list[m.MeasurementRecord]:
    """What was measured where something still is, and what failed before its namespace went."""
    return [r for r in records if r.namespace not in gone or r.phase == "Failed"]


def unsaid(state: State, analysis: WaveAnalysis, gone: Collection[str]) -> list[str]:
    """The namespaces of the wave whose going a person has to hear of.

    Those that were watched until then, where another wave follows or nothing is left of this one; none that was heard of
    before.
    """
    wave = analysis.spec.wave
    names = state.wave_names(wave)
    heard = {*analysis.status.deleted_namespaces, *_gone_before(state, wave)}
    fresh = [n for n in _written(state, wave) if n in gone and n not in heard]
    last = state.rollout.status.together(wave)[-1] + 1 >= len(state.rollout.spec.waves)
    return fresh if fresh and (not last or set(names) <= set(gone)) else []


def _gone_before(state: State, wave: int) -> Iterator[str]:
    """The namespaces of a wave in which nothing could be written any more."""
    return (n.spec.namespace for n in state.in_wave(wave) if n.status.phase == "Deleted")


def _written(state: State, wave: int) -> list[str]:
    """The namespaces whose pods a wave has changed, be it by policies of the whole cluster."""
    applied = {n.spec.place for n in state.in_wave(wave) if n.status.phase == "Applied"}
    waves = (state.rollout.spec.waves[number] for number in state.rollout.status.together(wave))
    places = (p for each in waves for p in each.namespaces if p.place in applied)
    return list(dict.fromkeys(name for p in places for name in p.covers or [p.name]))


def nothing_left(state: State, analysis: WaveAnalysis, gone: Collection[str]) -> bool:
    """Whether a person has heard that all namespaces of the wave are gone, and went on."""
    names = set(state.wave_names(analysis.spec.wave))
    return names <= set(gone) and bool(names & set(analysis.status.deleted_namespaces))


def told(names: Sequence[str]) -> str:
    """For people."""
    text = "deleted while the change was watched there, so nobody knows whether it is good"
    return f"{few(names, MOST_NAMED)}: {text}; resume goes on without"
