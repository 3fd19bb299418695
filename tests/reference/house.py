"""The house as a drawing, from the imports: its rooms, and which of them use which."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "workflows")
FILE = "docs/house.svg"
# Floors from the top, as `.importlinter` has them; what stands side by side there may stand side by side here.
FLOORS = (
    ("cli", "server"),
    ("workflows", "engine"),
    ("steps", "operations"),
    ("measure", "writing"),
    ("planning", "sources"),
    ("sandbox", "adapters", "context"),
    ("ports", "analysis", "record"),
    ("rollout", "policy"),
)
# Single modules that stand in the room of another one, or that every room may use and no arrow shows.
WITHIN = {"tenure": "context", "sighted_claims": "context", "standstill": "context"}
EVERYWHERE = frozenset({"errors", "harmless", "wording", "elapsed", "probe"})
WIDTH, MARGIN, BOX, HIGH, GAP = 1000, 30, 290, 62, 34
LANE = 7  # between two arrows that pass floors by
MOST_CHARACTERS = 42  # of one line in a box
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f } .name { font-weight: 600; font-size: 14px }
  rect { fill: #f6f8fa; stroke: #8c959f } path { fill: none; stroke: #57606a; stroke-opacity: .55 } marker path { fill: #57606a; stroke: none }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } rect { fill: #161b22; stroke: #6e7681 } path { stroke: #9198a1 } marker path { fill: #9198a1 } }
"""


def room(module: str) -> str:
    """`orchestrator.steps.apply` to `steps`; `workflows` is a room of its own."""
    parts = module.split(".")
    name = parts[0] if parts[0] != "orchestrator" else (parts[1] if len(parts) > 1 else "")
    return WITHIN.get(name, name)


def uses() -> dict[str, set[str]]:
    """Which rooms import which."""
    graph = grimp.build_graph(*PACKAGES)
    found: dict[str, set[str]] = {name: set() for floor in FLOORS for name in floor}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            one, other = room(module), room(imported)
            if one != other and one in found and other not in EVERYWHERE | {""}:
                found[one].add(other)
    return found


def arrows(found: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """The uses that no way round shows already."""
    return sorted(
        (one, other)
        for one, others in found.items()
        for other in others
        if not any(other in _below(found, third) for third in others - {other})
    )


def _below(found: Mapping[str, set[str]], name: str) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for other in found.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def purpose(name: str) -> str:
    """What a room says of itself in its first line."""
    base = ROOT / name if name in PACKAGES else ROOT / "orchestrator" / name
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text())) or "").split("\n")[0]


def _lines(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > MOST_CHARACTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [lines[0], lines[1] + ("…" if len(lines) > 2 else "")] if len(lines) > 1 else lines


def _places() -> dict[str, tuple[float, float]]:
    """Where each box begins."""
    places = {}
    for number, floor in enumerate(FLOORS):
        free = (WIDTH - 2 * MARGIN - len(floor) * BOX) / (len(floor) + 1)
        for seat, name in enumerate(floor):
            places[name] = (MARGIN + free + seat * (BOX + free), MARGIN + number * (HIGH + GAP))
    return places


def drawing() -> str:
    """The whole drawing, as SVG."""
    places = _places()
    height = 2 * MARGIN + len(FLOORS) * (HIGH + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>The rooms of netpol-canary; an arrow means: uses</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
        *_arrows(places),
        *(line for name, place in places.items() for line in _box(name, place)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrows(places: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    passing = 0
    for one, other in arrows(uses()):
        (x, y), (u, v) = places[one], places[other]
        if y == v:
            near, far = (x + BOX, u) if u > x else (x, u + BOX)
            way = f"M{near:.0f} {y + HIGH / 2:.0f} H{far:.0f}"
        elif v - y > HIGH + GAP:  # round the floors between
            passing += 1
            left = x + u + BOX < WIDTH
            lane = MARGIN - 4 - LANE * (passing % 4) if left else WIDTH - MARGIN + 4 + LANE * (passing % 4)
            near, far = (x, u) if left else (x + BOX, u + BOX)
            way = f"M{near:.0f} {y + HIGH / 2 + 8:.0f} H{lane:.0f} V{v + HIGH / 2 - 8:.0f} H{far:.0f}"
        else:
            x, u, y = x + BOX / 2, u + BOX / 2, y + HIGH
            way = f"M{x:.0f} {y:.0f} C{x:.0f} {y + 30:.0f} {u:.0f} {v - 30:.0f} {u:.0f} {v:.0f}"
        yield f'<path d="{way}" marker-end="url(#tip)"/>'


def _box(name: str, place: tuple[float, float]) -> Iterator[str]:
    x, y = place
    yield f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{HIGH}" rx="6"/>'
    yield f'<text class="name" x="{x + 12:.0f}" y="{y + 20:.0f}">{name}</text>'
    for number, line in enumerate(_lines(purpose(name))):
        yield f'<text x="{x + 12:.0f}" y="{y + 37 + 15 * number:.0f}">{escape(line)}</text>'
