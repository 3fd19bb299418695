"""Why a wave went wrong, in five lines: what was seen, on which connections, what did it, how sure that is, what now.

The evidence is joined with the wave's frozen diff; nothing is asked of Git, Prometheus or the cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.analysis.agreement import Row, agreement, plain
from orchestrator.analysis.answers import asked
from orchestrator.rollout.conditions import of_type
from orchestrator.rollout.model import WaveEdge
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import WaveAnalysis

Sure = Literal["certain", "likely", "possible", "unclear"]
TITLES = ("seen", "connections", "cause", "sure", "now")
MOST_EDGES = 3
MOST_OBJECTS = 5
MOST_SUSPECTS = 3


@dataclass(frozen=True)
class Why:
    """`lines` are the five, without their titles; `sure` says how well the diff explains the evidence."""

    lines: tuple[str, str, str, str, str]
    sure: Sure
    edges: tuple[WaveEdge, ...] = ()

    @property
    def text(self) -> str:
        """Five lines, the first without a title, since it stands behind a reason."""
        first, *rest = self.lines
        return "\n".join([first, *(f"{t}: {line}" for t, line in zip(TITLES[1:], rest, strict=True))])


def why(state: State, wave: int) -> Why | None:
    """None where the wave was not analysed."""
    analysis = state.analyses.get(wave)
    if analysis is None:
        return None
    rows = agreement(analysis.spec, analysis.status)
    hurt = _hurt(analysis)
    ranked = sorted(_lost(analysis, rows), key=lambda pair: _rank(pair[0], pair[1], hurt))
    fitting = [pair for pair in ranked if _rank(pair[0], pair[1], hurt) < 2]
    sure = _sure(state, wave, fitting, hurt)
    seen = analysis.status.reason
    lines = (
        seen,
        _connections([edge for edge, _ in fitting]),
        _cause(state, wave, [edge for edge, _ in fitting]),
        f"{sure}, {_reason(sure, fitting, hurt)}; {_suspects(analysis)}",
        _now(state, wave),
    )
    return Why(lines, sure, tuple(edge for edge, _ in fitting))


def _hurt(analysis: WaveAnalysis) -> frozenset[str]:
    """The namespaces where something failed: by a metric, or at either end of a probe that broke."""
    last = {(r.metric, r.namespace): r for r in analysis.status.measurements}
    found = {r.namespace for r in last.values() if r.phase == "Failed"}
    for answer in asked(analysis.spec.probes, analysis.status.probes):
        if answer.before == "reach" and answer.after == "blocked" and answer.probe.expect == "reach":
            found |= {answer.probe.source.partition("/")[0], answer.probe.destination.partition("/")[0]}
    return frozenset(found)


def _lost(analysis: WaveAnalysis, rows: Sequence[Row]) -> list[tuple[WaveEdge, bool]]:
    """The diff's connections that lose ports, and whether probes saw them break."""
    pairs = zip(analysis.spec.edges, rows, strict=True)
    return [(e, row.broken) for e, row in pairs if e.before != "none" and e.before != e.after]


def _rank(edge: WaveEdge, broken: bool, hurt: frozenset[str]) -> int:
    """0 where probes saw it break and somebody is hurt at an end, 1 for one of the two, 2 for neither."""
    spaces = {plain(end).partition("/")[0] for end in (edge.source, edge.destination)}
    return 2 - broken - bool(spaces & hurt)


def _sure(state: State, wave: int, fitting: Sequence[tuple[WaveEdge, bool]], hurt: frozenset[str]) -> Sure:
    if any(broken and _rank(edge, broken, hurt) == 0 for edge, broken in fitting):
        return "certain"
    if fitting:
        return "likely"
    return "possible" if hurt & set(state.wave_names(wave)) else "unclear"


def _reason(sure: Sure, fitting: Sequence[tuple[WaveEdge, bool]], hurt: frozenset[str]) -> str:
    where = ", ".join(sorted(hurt)[:MOST_EDGES]) or "nowhere"
    return {
        "certain": "probes connected there before the change and not after it, and the change cuts just that",
        "likely": f"the change cuts connections of {where}, where it was seen",
        "possible": f"it was seen in {where}, which changed, but the change cuts no connection there",
        "unclear": f"it was seen in {where}, and the change cuts no connection there",
    }[sure]


def _connections(edges: Sequence[WaveEdge]) -> str:
    if not edges:
        return "none of those that the change cuts fits"
    told = [f"{plain(e.source)} to {plain(e.destination)} ({e.before}, now {e.after})" for e in edges]
    return _listed(told, MOST_EDGES)


def _cause(state: State, wave: int, edges: Sequence[WaveEdge]) -> str:
    """The rules of the connections, then the objects of the wave, with commit and people."""
    spec = state.rollout.spec
    rules = dict.fromkeys(rule for e in edges[:MOST_EDGES] for rule in _deciding(e.because))
    touched = [
        f"{item.spec.namespace}/{change.object}" + (f" ({change.file})" if change.file else "")
        for name in state.wave_names(wave)
        if (item := state.namespaces.get(name)) is not None
        for change in item.spec.changes
    ]
    who = ", ".join(p.removeprefix("user:") for p in spec.people[:MOST_OBJECTS]) or "unknown"
    objects = f"wave {wave} changed {_listed(touched, MOST_OBJECTS)}, commit {spec.revision[:10]} by {who}"
    return f"{_listed(list(rules), MOST_EDGES)}; {objects}" if rules else objects


def _deciding(because: Sequence[str]) -> list[str]:
    """The rules that stand in Git; where the change only takes rules away, those."""
    plain_rules = [b.replace(" (the cluster:1)", "") for b in because]
    return [b for b in plain_rules if b.endswith(")")] or plain_rules[:1]


def _suspects(analysis: WaveAnalysis) -> str:
    if not analysis.status.suspects:
        return "nothing else was rolled out there in these minutes"
    return f"also suspect: {_listed(analysis.status.suspects, MOST_SUSPECTS)}"


def _now(state: State, wave: int) -> str:
    """What stands, and what to do next."""
    status, name = state.rollout.status, state.rollout.name
    verified = of_type(status.conditions, "Verified")
    if status.phase == "RolledBack":
        seconds = f" in {status.restored_seconds:.2g} s" if status.restored_seconds is not None else ""
        checked = f", {verified.message}" if verified else ""
        return f"put back{seconds}{checked}; mend the commit and merge, or `netpol-canary retry` releases it"
    if status.phase == "Failed":
        return f"not everything could be put back: `netpol-canary describe {name}` says what stands"
    return f"everything up to wave {wave} is being put back; `netpol-canary explain {name}` says more"


def _listed(items: Iterable[str], most: int) -> str:
    found = list(items)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
