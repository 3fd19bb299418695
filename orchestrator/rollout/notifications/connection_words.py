"""The connections that change, in words: what happens to which, on which ports, and by which rule, file and line."""

from collections.abc import Sequence
from typing import Protocol

from orchestrator.rollout.resources import model as m

LIVE = " (the cluster:1)"  # the place of what stands in the cluster alone, which is nobody's file


class Changing(Protocol):
    """A connection as it was frozen, or as people read it."""

    @property
    def source(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def change(self) -> str: ...
    @property
    def because(self) -> Sequence[str]: ...


def ports(edge: Changing) -> str:
    """`TCP 443`, or `TCP 80 → TCP 443` where some pass before and after."""
    if edge.before == "none":
        return edge.after
    return edge.before if edge.after == "none" else f"{edge.before} → {edge.after}"


def rules(edge: Changing) -> list[str]:
    """Those that stand in a file; where none does, what the API or the cluster says."""
    told = [text.replace(LIVE, "") for text in edge.because]
    return [text for text in told if text.endswith(")")] or told[:1]


def line(edge: Changing, most: int = 2) -> str:
    """One line: `opened: internet to shop/db on TCP 5432, after, Ingress: NetworkPolicy shop/db ingress[0] (db.yaml:9)`."""
    said = f"{edge.change or 'changed'}: {edge.source} to {edge.destination} on {ports(edge)}"
    return "; ".join([said, *rules(edge)[:most]])


def of_wave(spec: m.PolicyRolloutSpec, wave: int) -> tuple[list[m.WaveEdge], int]:
    """Those of a wave that were kept, the worst first, and how many there are in all."""
    found = [edge for edge in spec.edges if edge.wave == wave]
    total = spec.waves[wave].connections if wave < len(spec.waves) else 0
    return found, max(total, len(found))


def listed(edges: Sequence[Changing], total: int, most: int) -> list[str]:
    """At most `most` lines, and how many there are beyond."""
    more = total - min(len(edges), most)
    return [*(line(edge) for edge in edges[:most]), *([f"and {more} more"] if more > 0 else [])]
