"""`/api/v1/rollouts`: what is rolled out and was, and what it was judged by."""

from collections.abc import Collection
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request

from orchestrator.context import APPROVAL, ROLLOUT, Context
from orchestrator.errors import BadInput
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.model import RolloutPhase
from orchestrator.rollout.resources.resource import Approval, load
from orchestrator.server.api.api_route import api_router, reading
from orchestrator.server.api.evidence_answers import Evidence, wave_evidence
from orchestrator.server.api.paging import USUAL, Continue, Limit, Place, part
from orchestrator.server.api.rollout_answers import (
    RolloutAnswer,
    RolloutList,
    rollout_answer,
    rollout_summary,
)
from orchestrator.server.pages import read
from orchestrator.server.pages.gate_view import standing
from orchestrator.server.pages.page import as_seen
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
        wanted = [o for o in ctx.cluster.list(ROLLOUT, ctx.namespace) if _like(o, source, namespace, phase)]
        wanted.sort(key=_age, reverse=True)
        some = part(wanted, _age, limit, after, falling=True)
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


def _age(obj: Manifest) -> Place:
    return str(obj["metadata"].get("creationTimestamp", "")), str(obj["metadata"]["name"])


def _like(obj: Manifest, source: str, namespace: str, phase: str | None) -> bool:
    """As far as its fields can be read: of thousands, only those of one answer are read whole."""
    spec, status = _part(obj, "spec"), _part(obj, "status")
    if source and spec.get("source") != source:
        return False
    if phase is not None and status.get("phase", "Pending") != phase:
        return False
    return not namespace or namespace in _namespaces(spec)


def _part(obj: Manifest, name: str) -> Manifest:
    found = obj.get(name)
    return found if isinstance(found, dict) else {}


def _namespaces(spec: Manifest) -> set[str]:
    waves = spec.get("waves")
    rows = [w.get("namespaces") for w in waves if isinstance(w, dict)] if isinstance(waves, list) else []
    found = [n for row in rows if isinstance(row, list) for n in row if isinstance(n, dict)]
    return {str(n.get("name")) for n in found}


def _approvals(ctx: Context, names: Collection[str]) -> list[Approval]:
    """Those of these rollouts; one that cannot be read counts for nothing here either."""
    found: list[Approval] = []
    for obj in ctx.cluster.list(APPROVAL, ctx.namespace):
        if _part(obj, "spec").get("rollout") in names:
            with suppress(BadInput):
                found.append(load(obj))
    return found
