"""Predicted, probed, seen: for each connection of the diff what analysis, packets and traffic say of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.analysis.probe_answers import Asked, asked
from orchestrator.policy.objects import port_sets
from orchestrator.rollout.resources.model import ObservedFlow, WaveAnalysisSpec, WaveAnalysisStatus, WaveEdge


@dataclass(frozen=True)
class Row:
    """One connection; `probed` and `seen` are empty where nothing was tried or recorded.

    `alarm` is set where they contradict the prediction. `broken`: probes saw it close, `unexpected`: on a port that the
    change takes and that had to stay; `loses` says whether it takes any.
    """

    source: str
    destination: str
    before: str
    after: str
    probed: str = ""
    seen: str = ""
    alarm: str = ""
    broken: bool = False
    unexpected: bool = False
    loses: bool = False


def agreement(spec: WaveAnalysisSpec, status: WaveAnalysisStatus) -> list[Row]:
    """A row for each connection of the wave's diff."""
    answers = asked(spec.probes, status.probes)
    flows = {(f.source, f.destination): f for f in status.flows}
    return [
        _row(edge, answers, flows.get((plain(edge.source), plain(edge.destination)))) for edge in spec.edges
    ]


def plain(name: str) -> str:
    """`namespace/name` of `namespace/name[Kind]`."""
    return name.partition("[")[0]


def outside(name: str) -> bool:
    """Whether a name is of addresses, as `first-last[External]`, blocks or words; a workload is `namespace/name[Kind]`."""
    return name.endswith("[External]") or not name.endswith("]") or "/" not in name


def _row(edge: WaveEdge, answers: Sequence[Asked], flow: ObservedFlow | None) -> Row:
    ends = (plain(edge.source), plain(edge.destination))
    mine = [a for a in answers if (a.probe.source, a.probe.destination) == ends and a.probe.check != "dns"]
    probed = "; ".join(f"{a.probe.port}: {a.before} → {a.after}" for a in mine)
    seen = f"{flow.forwarded:g} forwarded, {flow.dropped:g} dropped" if flow else ""
    cut, opened = edge.after == "none", edge.before == "none"
    alarm = ""
    if cut and flow is not None and flow.forwarded > 0:
        alarm = f"{ends[0]} to {ends[1]} should be cut, and traffic still passes"
    elif opened and flow is not None and flow.dropped > 0 and flow.forwarded == 0:
        alarm = f"{ends[0]} to {ends[1]} should be open, and traffic is dropped"
    gone = [a for a in mine if a.before == "reach" and a.after == "blocked"]
    lost = port_sets.parsed(edge.before) & ~port_sets.parsed(edge.after)
    cuts = [a for a in gone if port_sets.contains(lost, a.probe.protocol, a.probe.port)]
    return Row(
        edge.source,
        edge.destination,
        edge.before,
        edge.after,
        probed,
        seen,
        alarm,
        bool(gone),
        any(a.probe.expect == "reach" for a in cuts),
        bool(lost),
    )
