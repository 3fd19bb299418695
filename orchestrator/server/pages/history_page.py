"""`/history`: rollouts searched; how often they go well, and how quickly they are rolled back where they do not."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from orchestrator.context import APPROVAL
from orchestrator.record.search import OUTCOMES, Search, found
from orchestrator.record.summary import entry, summary
from orchestrator.rollout.resources.resource import load
from orchestrator.server.pages import read
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import render
from orchestrator.server.parts import Parts

MOST_ROWS = 200
Words = Annotated[str, Query(max_length=253)]
OUTCOME_WORDS = {"rolledback": "rolled back"}


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    routes = pages()

    @routes.get("/history")
    def history(
        request: Request,
        namespace: Words = "",
        person: Words = "",
        commit: Words = "",
        outcome: Words = "",
        source: Words = "",
        days: Annotated[str, Query(max_length=5, pattern=r"^\d*$")] = "",
    ) -> HTMLResponse:
        ctx = as_seen(request, parts)
        now = ctx.clock.now()
        since = now - timedelta(days=min(int(days), 36500)) if days else None
        asked = {"namespace": namespace, "person": person, "commit": commit, "source": source}
        search = Search(**{k: v.strip() for k, v in asked.items()}, outcome=outcome, since=since)
        approvals = [load(o) for o in ctx.cluster.list(APPROVAL, ctx.namespace)]
        rollouts = read.rollouts(ctx)
        entries = found([entry(r, approvals) for r in rollouts], search)
        return render(
            request,
            "history.html",
            now,
            asked={**asked, "outcome": outcome, "days": days},
            searched=any((*asked.values(), outcome, days)),
            outcomes=[(key, OUTCOME_WORDS.get(key, key)) for key in OUTCOMES],
            sources=sorted({r.spec.source for r in rollouts}),
            entries=entries[:MOST_ROWS],
            more=max(0, len(entries) - MOST_ROWS),
            total=len(rollouts),
            summary=summary(entries, now),
        )

    return routes
