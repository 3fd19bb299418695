"""`/api/v1/rollouts`: what is rolled out and was, and what it was judged by."""

from collections.abc import Collection
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request

from orchestrator.context import APPROVAL, Context
from orchestrator.errors import BadInput
from orchestrator.rollout.resources.model import RolloutPhase
from orchestrator.rollout.resources.objects import age
from orchestrator.rollout.resources.resource import Approval, load
from orchestrator.server.api.api_route import api_router, reading
from orchestrator.server.api.evidence_answers import Evidence, wave_evidence
from orchestrator.server.api.paging import USUAL, Continue, Limit, part
from orchestrator.server.api.rollout_answers import (
    RolloutAnswer,
    RolloutList,
    rollout_answer,
    rollout_summary,
)
from orchestrator.server.pages import read
from orchestrator.server.pages.gate_view import standing
from orchestrator.server.pages.page import as_seen
from orchestrator.server.pages.standing.rollout_rows import part_of, rows
from orchestrator.server.parts import Parts

MOST_WAVES, USUAL_WAVES = 20, 5
FromSource = Annotated[str, Query(max_length=253, description="Those of this source.")]
OfNamespace = Annotated[str, Query(max_length=253, description="Those that change this namespace.")]
Phase = Annotated[RolloutPhase | None, Query(description="Those in this phase.")]
Waves = Annotated[int, Query(ge=1, le=MOST_WAVES, description="How many waves at most.")]


def router(parts: Parts) -> APIRouter:
    """A list, one of them, and its evidence."""
    found = api_router()

    @reading(found, "/rollouts", RolloutList, "Rollouts, the newest first")
    def list_rollouts(
        request: Request,
        source: FromSource = "",
        namespace: OfNamespace = "",
        phase: Phase = None,
        limit: Limit = USUAL,
        after: Continue = "",
    ) -> RolloutList:
        ctx = as_seen(request, parts)
        some = part(rows(ctx, source, namespace, phase or ""), age, limit, after, falling=True)
        approvals = _approvals(ctx, {str(o["metadata"]["name"]) for o in some.items})
        items = [rollout_summary(obj, approvals) for obj in some.items]
        return RolloutList(items=items, continue_=some.token, remaining=some.remaining)

    @reading(found, "/rollouts/{name}", RolloutAnswer, "One rollout")
    def get_rollout(request: Request, name: str) -> RolloutAnswer:
        ctx = as_seen(request, parts)
        seen = read.one(ctx, name, diffs=False)
        return rollout_answer(seen, standing(seen, ctx.clock.now()))

    @reading(found, "/rollouts/{name}/evidence", Evidence, "What its waves were judged by")
    def get_evidence(
        request: Request, name: str, limit: Waves = USUAL_WAVES, after: Continue = ""
    ) -> Evidence:
        seen = read.one(as_seen(request, parts), name, diffs=False)
        some = part(seen.view.waves, lambda wave: (f"{wave.number:06}",), limit, after)
        items = [wave_evidence(wave) for wave in some.items]
        return Evidence(rollout=name, items=items, continue_=some.token, remaining=some.remaining)

    return found


def _approvals(ctx: Context, names: Collection[str]) -> list[Approval]:
    """Those of these rollouts; one that cannot be read counts for nothing here either."""
    found: list[Approval] = []
    for obj in ctx.cluster.list(APPROVAL, ctx.namespace):
        if part_of(obj, "spec").get("rollout") in names:
            with suppress(BadInput):
                found.append(load(obj))
    return found
