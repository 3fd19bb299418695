"""A rollout's report as Markdown, to be pasted into a post-mortem; whatever the texts hold, it renders as text."""

import re
from collections.abc import Iterator, Sequence

from orchestrator import harmless
from orchestrator.record.report import tables
from orchestrator.record.report.tables import Table
from orchestrator.record.view import Cell, Link, RolloutView, WaveView
from orchestrator.wording import many

MOST_DRAWN = 30
ARROWS = {
    "opened": "==>",
    "cut": "-.->",
    "narrowed": "-->",
    "widened": "-->",
    "same": "---",
}


def report(view: RolloutView) -> str:
    """The whole document."""
    lines = [f"# Rollout {inline(view.name)}: {view.phase}", ""]
    lines += [
        f"- **{title}:** {inline(text)}" for title, text in tables.facts(view, brief=bool(view.explained))
    ]
    lines += ["", *_explained(view), *_table(tables.namespaces(view), 2)]
    lines += [f"- between waves: {inline(text)}" for text in view.boundaries]
    for wave in view.waves:
        lines += _evidence(wave)
    lines += _table(tables.timeline(view.moments), 2)
    cells = [cell for wave in view.waves for cell in wave.cells if cell.objects]
    if cells:
        lines += ["## What changed", "", *(line for cell in cells for line in _diffs(cell))]
    return "\n".join(lines).rstrip() + "\n"


def inline(text: str) -> str:
    """Text within a line or a cell: nothing in it is markup, nobody is mentioned."""
    return harmless.markdown(text)


def _explained(view: RolloutView) -> Iterator[str]:
    if view.explained:
        yield from ("## Why", "")
        for title, text in view.explained:
            yield f"- **{inline(title)}:** {inline(text)}"
        yield ""


def _table(table: Table, level: int = 3) -> Iterator[str]:
    if not table.rows:
        return
    yield from (f"{'#' * level} {table.title}", "")
    yield f"| {' | '.join(table.columns)} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(inline(text) for text in row)} |"
    if table.more:
        yield from ("", f"and {table.more} more; the JSON report has all")
    yield ""


def _evidence(wave: WaveView) -> Iterator[str]:
    if wave.verdict == "Pending" and not wave.attempts and not wave.links:
        return
    yield from (f"## Wave {wave.number}: {wave.state}, {wave.verdict}", "")
    told = [("Why here", wave.why), ("Verdict", wave.reason), ("Watched", ", ".join(wave.watched))]
    told += [("Control group", ", ".join(wave.control_group) or "none")]
    told += [("Alarm", text) for text in wave.alarms]
    told += [("Also suspect", text) for text in wave.suspects]
    told += [("Note", text) for text in wave.notes]
    yield from (f"- {title}: {inline(text)}" for title, text in told if text)
    yield ""
    yield from _table(tables.metrics(wave))
    yield from _table(tables.probes(wave))
    yield from _table(tables.connections(wave))
    yield from _graph(wave.links)


def _graph(links: Sequence[Link]) -> Iterator[str]:
    """Thick arrows are opened, dotted ones cut, thin ones narrowed or widened."""
    drawn = links[:MOST_DRAWN]
    if not drawn:
        return
    names = sorted({end for link in drawn for end in (link.source, link.destination)})
    number = {name: f"n{i}" for i, name in enumerate(names)}
    yield from ("```mermaid", "graph LR")
    yield from (f'  {number[name]}["{harmless.mermaid(name)}"]' for name in names)
    for link in drawn:
        ports = link.before if link.words == ("cut",) else link.after
        arrow = ARROWS[link.words[0]]
        yield f'  {number[link.source]} {arrow}|"{harmless.mermaid(link.change + " " + ports)}"| {number[link.destination]}'
    yield from ("```", "")
    if len(links) > MOST_DRAWN:
        yield from (f"and {many(len(links) - MOST_DRAWN, 'more connection')}", "")


def _diffs(cell: Cell) -> Iterator[str]:
    for obj in cell.objects:
        yield f"### {inline(cell.title)}: {obj.action} {inline(obj.object)}"
        where = "; ".join(t for t in (obj.file, obj.commit) if t)
        yield from ("", inline(where), "") if where else ("",)
        ticks = max((len(run) for run in re.findall("`+", obj.diff)), default=0)
        fence = "`" * max(ticks + 1, 3)
        yield from (f"{fence}diff", harmless.visible(obj.diff), fence, "")
