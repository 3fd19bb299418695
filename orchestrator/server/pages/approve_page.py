"""`/rollouts/NAME/approve`: what is to be decided, on what evidence, and one button; a no is asked for twice."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from orchestrator import context
from orchestrator.errors import Refused
from orchestrator.operations import approve as steps
from orchestrator.operations.approve import ASKS_WHY, Decision
from orchestrator.server.pages import read
from orchestrator.server.pages.gate_view import may_hurry, objection, standing
from orchestrator.server.pages.page import as_seen, checked, pages, viewer
from orchestrator.server.pages.render import render
from orchestrator.server.pages.rollout_page import Short
from orchestrator.server.parts import Parts

Comment = Annotated[str, Form(max_length=1000)]


def router(parts: Parts) -> APIRouter:
    """The page and its form."""
    found = pages()

    @found.get("/rollouts/{name}/approve")
    def look(request: Request, name: str) -> HTMLResponse:
        ctx, person = as_seen(request, parts), viewer(request)
        seen, at = read.one(ctx, name), ctx.clock.now()
        number = min(seen.state.rollout.status.wave, len(seen.view.waves) - 1)
        gates = standing(seen, at)
        return render(
            request,
            "approve.html",
            at,
            seen=seen,
            view=seen.view,
            wave=seen.view.waves[number],
            before=seen.view.waves[:number],
            after=seen.view.waves[number + 1 :],
            asks_why=seen.view.risk in ASKS_WHY,
            later=sum(len(w.cells) for w in seen.view.waves[number + 1 :]),
            gates=gates,
            may=person.may("create", "rolloutapprovals"),
            objection=objection(gates, person),
            may_hurry=may_hurry(seen.state, person, at),
        )

    @found.post("/rollouts/{name}/approve")
    def decide(
        request: Request,
        name: str,
        csrf: Short,
        decision: Annotated[Literal["approve", "reject"], Form()],
        wave: Annotated[int, Form()],
        plan: Short,
        comment: Comment = "",
        confirm: Annotated[Literal["", "reject"], Form()] = "",
    ) -> Response:
        checked(request, csrf)
        ctx = as_seen(request, parts)
        state = context.read(ctx, name)
        if (state.rollout.status.wave, state.rollout.spec.plan_digest) != (wave, plan):
            raise Refused(f"{name} has moved on since you read it; read it again before you decide")
        if decision == "reject" and confirm != "reject":
            return _surely(request, read.one(ctx, name), comment.strip())
        steps.decide(ctx, state, Decision(decision, comment.strip(), wave))
        return RedirectResponse(f"/rollouts/{name}?done={decision}", 303)

    return found


def _surely(request: Request, seen: read.Seen, comment: str) -> HTMLResponse:
    """What a no does, to be said once more; nothing is recorded yet."""
    waves, now = (
        seen.view.waves,
        seen.view.waves[min(seen.state.rollout.status.wave, len(seen.view.waves) - 1)],
    )
    written = [c.namespace for w in waves for c in w.cells if c.phase == "Applied"]
    return render(request, "reject.html", None, view=seen.view, wave=now, written=written, comment=comment)
