"""`/api/v1/sources`: where policies come from, and how each of those stands."""

from fastapi import APIRouter, Request

from orchestrator.context import SOURCE
from orchestrator.server.api.api_route import api_router, reading
from orchestrator.server.api.paging import USUAL, Continue, Limit, part
from orchestrator.server.api.source_answers import (
    SourceAnswer,
    SourceList,
    source_answer,
    source_summary,
)
from orchestrator.server.pages import read
from orchestrator.server.pages.page import as_seen
from orchestrator.server.parts import Parts


def router(parts: Parts) -> APIRouter:
    """All of them, and one."""
    found = api_router()

    @reading(found, "/sources", SourceList, "The sources")
    def list_sources(request: Request, limit: Limit = USUAL, after: Continue = "") -> SourceList:
        ctx = as_seen(request, parts)
        everything = ctx.cluster.list(SOURCE, ctx.namespace)
        everything.sort(key=lambda obj: str(obj["metadata"]["name"]))
        some = part(everything, lambda obj: (str(obj["metadata"]["name"]),), limit, after)
        items = [source_summary(read.standing_of(obj)) for obj in some.items]
        return SourceList(items=items, continue_=some.token, remaining=some.remaining)

    @reading(found, "/sources/{name}", SourceAnswer, "One source")
    def get_source(request: Request, name: str) -> SourceAnswer:
        return source_answer(read.source(as_seen(request, parts), name))

    return found
