"""A wave's probes for the port, and their answers as they are kept."""

from collections.abc import Mapping, Sequence

from orchestrator.ports import Probe, ProbeResult
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built

_SEEN: Mapping[bool | None, m.Answer] = {True: "reach", False: "blocked", None: "unknown"}


def attempt(probe: m.WaveProbe, expect: str) -> Probe:
    """For the port; `expect` is what should come of it now."""
    return Probe(
        probe.name,
        probe.source,
        probe.destination,
        probe.port,
        probe.protocol,
        expect == "reach",
        probe.check,
    )


def beforehand(probes: Sequence[m.WaveProbe]) -> list[Probe]:
    """As they should answer before the change; where nothing is known of that, as after it."""
    return [attempt(p, p.expect if p.before == "unknown" else p.before) for p in probes]


def afterwards(probes: Sequence[m.WaveProbe]) -> list[Probe]:
    """As they should answer after the change."""
    return [attempt(p, p.expect) for p in probes]


def record(result: ProbeResult, when: str) -> m.ProbeRecord:
    """A result as it is kept."""
    return built(
        m.ProbeRecord,
        probe=result.probe.name,
        when=when,
        observed=_SEEN[result.observed],
        expected="reach" if result.probe.reachable else "blocked",
        message=result.message[:200],
    )
