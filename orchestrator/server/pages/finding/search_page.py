"""`/search`: sources, namespaces, rollouts, policies and commits by a part of their name."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from orchestrator.server.pages.finding.finds import MOST_ASKED, find
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import render
from orchestrator.server.parts import Parts
from orchestrator.wording import many_first


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/search")
    def search(request: Request, q: Annotated[str, Query(max_length=MOST_ASKED)] = "") -> HTMLResponse:
        asked = q.strip()
        groups = find(as_seen(request, parts), asked) if asked else []
        count = sum(len(group.finds) + group.more for group in groups)
        headline = f"{many_first(count, 'result')} for {asked}" if asked else "Search"
        return render(
            request, "search.html", None, asked=asked, headline=headline, groups=groups, count=count
        )

    return found
