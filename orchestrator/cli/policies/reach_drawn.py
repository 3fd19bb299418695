"""What `reach` found as a table for spreadsheets and as a graph, entrances included."""

from collections.abc import Sequence

from orchestrator.cli.policies.exposed import ports_text, verdict
from orchestrator.harmless import one_line
from orchestrator.policy.impact.exposure import Entrance
from orchestrator.policy.network.connections import Connection
from orchestrator.policy.objects import port_sets


def cells(found: Sequence[Connection], ways: Sequence[Entrance]) -> list[tuple[str, ...]]:
    """Rows with a head; where there are entrances, by what they lead in and whether policies let them pass."""
    rows = [(c.src.name, c.dst.name, port_sets.text(c.ports)) for c in found]
    if not ways:
        return [("from", "to", "ports"), *rows]
    inward = [(w.src, w.dst.name, ports_text(w.ports), w.through, verdict(w)) for w in ways]
    return [("from", "to", "ports", "through", "policies"), *((*r, "", "") for r in rows), *inward]


def graph(found: Sequence[Connection], ways: Sequence[Entrance], form: str) -> list[str]:
    """In dot or mermaid; an entrance that policies shut is dashed."""
    arrows = [(c.src.name, c.dst.name, port_sets.text(c.ports), True) for c in found]
    for way in ways:
        text = f"{ports_text(way.ports)}, {way.through}" + (
            f": {verdict(way)}" if way.because or way.partly else ""
        )
        arrows.append((way.src, way.dst.name, text, not way.because))
    names = sorted({name for src, dst, _, _ in arrows for name in (src, dst)})
    number = {name: f"n{i}" for i, name in enumerate(names)}
    if form == "dot":
        nodes = [f"  {number[n]} [label={_quoted(n)}];" for n in names]
        lines = [
            f"  {number[src]} -> {number[dst]} [label={_quoted(text)}{'' if passes else ', style=dashed'}];"
            for src, dst, text, passes in arrows
        ]
        return ["digraph reach {", "  rankdir=LR;", *nodes, *lines, "}"]
    lines = [
        f"  {number[src]} {'-->' if passes else '-.->'}|{_entity(text)}| {number[dst]}"
        for src, dst, text, passes in arrows
    ]
    return ["graph LR", *(f"  {number[n]}[{_entity(n)}]" for n in names), *lines]


def _quoted(text: str) -> str:
    """A string of dot."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _entity(text: str) -> str:
    """A string of mermaid, which knows a quote as an entity alone."""
    return '"' + one_line(text).replace('"', "#quot;") + '"'
