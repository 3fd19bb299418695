"""Why a wave went wrong, in five lines: what was seen, on which connections, what did it, with which confidence, what now.

The evidence is joined with the wave's frozen diff; nothing is asked of Git, Prometheus or the cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.analysis.agreement import Row, agreement, plain
from orchestrator.analysis.probe_answers import asked
from orchestrator.rollout.next import State
from orchestrator.rollout.order.write_turns import by_place
from orchestrator.rollout.resources.conditions import of_type
from orchestrator.rollout.resources.model import WaveEdge
from orchestrator.rollout.resources.places import CLUSTER
from orchestrator.rollout.resources.resource import WaveAnalysis
from orchestrator.wording import few

Confidence = Literal["certain", "likely", "possible", "unclear"]
# How a cut connection fits what was seen: a probe that had to connect broke there; its clients fail and probes saw it
# close; something failed at one of its ends; not at all.
Fit = Literal["probed", "closed", "near", "not"]
FITS: tuple[Fit, ...] = ("probed", "closed", "near", "not")
TITLES = ("detected", "connections", "cause", "confidence", "now")
MOST_EDGES = 3
MOST_OBJECTS = 5
MOST_SUSPECTS = 3


@dataclass(frozen=True)
class Why:
    """`lines` are the five, without their titles; `confidence` says how well the diff explains the evidence."""

    lines: tuple[str, str, str, str, str]
    confidence: Confidence
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
    specs = state.rollout.spec.strategy.analysis.metrics
    written, hurt = _written(state, wave), _hurt(analysis, frozenset(s.name for s in specs if s.dry_run))
    if CLUSTER in written:
        names = state.wave_names(wave)
        written |= frozenset(analysis.spec.watched if CLUSTER in names else names)
    pairs = zip(analysis.spec.edges, agreement(analysis.spec, analysis.status), strict=True)
    lost = [(edge, _fits(row, hurt)) for edge, row in pairs if row.loses and written & _spaces(edge)]
    fitting = sorted((p for p in lost if p[1] != "not"), key=lambda pair: FITS.index(pair[1]))
    confidence = confidence_of(fitting[0][1] if fitting else "not", bool(hurt & written))
    edges = [edge for edge, _ in fitting]
    lines = (
        analysis.status.said,
        _connections(edges),
        _cause(state, wave, edges, written),
        f"{confidence}, {_reason(confidence, fitting, hurt)}; {_suspects(analysis)}",
        _now(state, wave),
    )
    return Why(lines, confidence, tuple(edges))


def confidence_of(best: Fit, where_written: bool) -> Confidence:
    """The confidence that the change did it, as docs/analysis.md has it.

    `best` is the cut connection that fits best, `where_written` whether something failed in a namespace that the wave wrote.
    """
    if best in ("probed", "closed"):
        return "certain"
    if best == "near":
        return "likely"
    return "possible" if where_written else "unclear"


def _fits(row: Row, hurt: frozenset[str]) -> Fit:
    """How what was seen fits a connection that the change cuts; what was expected and hurts nobody does not."""
    source, destination = (plain(end).partition("/")[0] for end in (row.source, row.destination))
    if row.unexpected:
        return "probed"
    if row.broken and source in hurt:
        return "closed"
    return "near" if hurt & {source, destination} else "not"


def _spaces(edge: WaveEdge) -> set[str]:
    return {plain(end).partition("/")[0] for end in (edge.source, edge.destination)}


def _written(state: State, wave: int) -> frozenset[str]:
    """The namespaces that the wave wrote: without those that are gone, or were not come to."""
    phases = {n.spec.namespace: n.status.phase for n in state.in_wave(wave)}
    begun = any(phase != "Pending" for phase in phases.values())
    return frozenset(
        n for n, phase in phases.items() if phase != "Deleted" and not (begun and phase == "Pending")
    )


def _hurt(analysis: WaveAnalysis, dry: frozenset[str]) -> frozenset[str]:
    """The namespaces where something failed that had not to: by a metric that decides, or at either end of a probe."""
    last = {(r.metric, r.namespace): r for r in analysis.status.measurements if r.metric not in dry}
    found = {r.namespace for r in last.values() if r.phase == "Failed"}
    for answer in asked(analysis.spec.probes, analysis.status.probes):
        if answer.before == "reach" and answer.after == "blocked" and answer.probe.expect == "reach":
            found |= {answer.probe.source.partition("/")[0], answer.probe.destination.partition("/")[0]}
    return frozenset(found)


def _reason(confidence: Confidence, fitting: Sequence[tuple[WaveEdge, Fit]], hurt: frozenset[str]) -> str:
    where = ", ".join(sorted(hurt)[:MOST_EDGES]) or "nowhere"
    return {
        "certain": "probes connected there before the change and not after it, and the change cuts just that",
        "likely": f"the change cuts connections of {where}, where it was seen",
        "possible": f"it was seen in {where}, which changed, but the change cuts no connection there",
        "unclear": f"it was seen in {where}, and the change cuts no connection there",
    }[confidence]


def _connections(edges: Sequence[WaveEdge]) -> str:
    if not edges:
        return "none of those that the change cuts fits"
    told = [f"{plain(e.source)} to {plain(e.destination)} ({e.before}, now {e.after})" for e in edges]
    return few(told, MOST_EDGES)


def _cause(state: State, wave: int, edges: Sequence[WaveEdge], written: frozenset[str]) -> str:
    """The rules of the connections, then the objects of the wave, with commit and people."""
    spec = state.rollout.spec
    rules = dict.fromkeys(rule for e in edges[:MOST_EDGES] for rule in _deciding(e.because))
    touched = [
        f"{item.spec.namespace}/{change.object}" + (f" ({change.file})" if change.file else "")
        for item in state.in_wave(wave)
        if item.spec.namespace in written
        for change in item.spec.changes
    ]
    who = ", ".join(p.removeprefix("user:") for p in spec.authors[:MOST_OBJECTS]) or "unknown"
    objects = f"wave {wave} changed {few(touched, MOST_OBJECTS)}, commit {spec.revision[:10]} by {who}"
    return f"{few(list(rules), MOST_EDGES)}; {objects}" if rules else objects


def _deciding(because: Sequence[str]) -> list[str]:
    """The rules that stand in Git; where the change only takes rules away, those."""
    plain_rules = [b.replace(" (the cluster:1)", "") for b in because]
    return [b for b in plain_rules if b.endswith(")")] or plain_rules[:1]


def _suspects(analysis: WaveAnalysis) -> str:
    if not analysis.status.suspects:
        return "nothing else was rolled out there in these minutes"
    return f"also suspect: {few(analysis.status.suspects, MOST_SUSPECTS)}"


def _now(state: State, wave: int) -> str:
    """What stands, and what to do next."""
    status, name = state.rollout.status, state.rollout.name
    verified = of_type(status.conditions, "RollbackVerified")
    if status.phase == "RolledBack":
        seconds = f" in {status.restored_seconds:.2g} s" if status.restored_seconds is not None else ""
        checked = f", {verified.message}" if verified else ""
        first = [items[0] for items in by_place(state)]
        gone = [item.spec.namespace for item in first if item.status.phase == "Deleted"]
        deleted = f"{few(gone, MOST_EDGES)} was deleted meanwhile" if gone else ""
        if gone and len(gone) == len(first):
            return f"nothing is left to restore: {deleted}; fix the commit and merge"
        checked += f"; {deleted}" if gone else ""
        return f"restored{seconds}{checked}; fix the commit and merge, or `netpol-canary retry` releases it"
    if status.phase == "Failed":
        return f"not everything could be restored: `netpol-canary describe {name}` says what stands"
    return f"everything up to wave {wave} is being rolled back; `netpol-canary explain {name}` says more"
