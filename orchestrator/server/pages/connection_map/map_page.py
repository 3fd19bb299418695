"""`/map`: who may connect to whom, of one namespace or between all of them, as it stands and as a rollout changes it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from orchestrator.context import Context
from orchestrator.record.drawings.map_drawing import map_svg
from orchestrator.server.pages import read
from orchestrator.server.pages.connection_map.allowed import Allowed, Wire, allowed
from orchestrator.server.pages.connection_map.changed import At, laid_over, unkept, wires_of
from orchestrator.server.pages.connection_map.map_view import (
    OUTSIDE,
    Drawing,
    focus,
    overview,
    page_of,
    ports_of,
    space_of,
)
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import render
from orchestrator.server.pages.standing.rollout_rows import rows
from orchestrator.server.parts import Parts

MOST_ROWS, MOST_OFFERED, MOST_ROLLOUTS = 200, 1000, 20
Name = Annotated[str, Query(max_length=253)]
VIEWS: tuple[tuple[At, str], ...] = (("", "What changes"), ("before", "Before"), ("after", "After"))


@dataclass(frozen=True)
class Shown:
    """What the page says beside its drawing."""

    known: Allowed
    wires: list[Wire]
    drawing: Drawing | None
    unkept: int = 0


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/map")
    def show_map(request: Request, namespace: Name = "", rollout: Name = "", at: At = "") -> HTMLResponse:
        ctx = as_seen(request, parts)
        asked = namespace.strip()
        shown = _shown(ctx, asked, rollout, at)
        title = headline(asked, rollout, at)
        svg = (
            map_svg(shown.drawing.columns, shown.drawing.ways, title, shown.drawing.described)
            if shown.drawing
            else ""
        )
        return render(
            request,
            "map.html",
            None,
            title=title,
            shown=shown,
            drawing=Markup(svg),
            asked={"namespace": asked, "rollout": rollout, "at": at},
            views=[(page_of(asked, rollout, key), word, key == at) for key, word in VIEWS] if rollout else [],
            wires=shown.wires[:MOST_ROWS],
            more=max(0, len(shown.wires) - MOST_ROWS),
            offered=_offered(shown),
            rollouts=[str(obj["metadata"]["name"]) for obj in rows(ctx)[:MOST_ROLLOUTS]],
            ports_of=ports_of,
            space_of=space_of,
        )

    return found


def headline(namespace: str, rollout: str, at: At) -> str:
    """The page in one sentence."""
    who = f"the namespaces {namespace}" if "*" in namespace else namespace
    if rollout:
        word = {"before": "Before", "after": "After"}.get(at, "What changes with")
        return f"{word} {rollout}" + (f", at {who}" if who else "")
    return f"Who may connect with {who}" if who else "Who may connect to whom"


def _offered(shown: Shown) -> list[str]:
    """Names of namespaces: all of them, or where these are not known, those of the connections."""
    ends = {space_of(end) for wire in shown.wires for end in (wire.source, wire.destination)}
    return sorted(shown.known.spaces or ends - {OUTSIDE})[:MOST_OFFERED]


def _shown(ctx: Context, namespace: str, rollout: str, at: At) -> Shown:
    view = read.one(ctx, rollout, diffs=False).view if rollout else None
    one = bool(namespace) and "*" not in namespace
    # What stands beside a change is drawn for one namespace alone: around all that changes it would be everything.
    known = allowed(ctx, namespace or "*") if one or view is None else Allowed()
    changed = wires_of(view) if view else []
    wires = laid_over(changed, known.wires, at)
    if one:
        wires = [w for w in wires if namespace in (space_of(w.source), space_of(w.destination))]
        drawing = focus(known, wires, namespace, rollout) if wires or known.workloads else None
    else:
        drawing = overview(known, wires, rollout, folded=view is None) if wires or known.workloads else None
    return Shown(known, wires, drawing, unkept(view) if view else 0)
