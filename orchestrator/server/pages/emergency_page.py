"""`/rollouts/NAME/emergency`: what an emergency would skip and what it would not, and a button that takes a reason."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from orchestrator import context
from orchestrator.errors import Refused
from orchestrator.operations import declare_emergency
from orchestrator.rollout.gates.opening import left_to_skip
from orchestrator.server.pages import read
from orchestrator.server.pages.approve_page import Comment
from orchestrator.server.pages.gate_view import asked_for, has_the_right, may_hurry
from orchestrator.server.pages.page import as_seen, checked, pages, viewer
from orchestrator.server.pages.render import render
from orchestrator.server.pages.rollout_page import Short
from orchestrator.server.parts import Parts


def router(parts: Parts) -> APIRouter:
    """The page and its form."""
    found = pages()

    @found.get("/rollouts/{name}/emergency")
    def look(request: Request, name: str) -> HTMLResponse:
        ctx, person = as_seen(request, parts), viewer(request)
        seen, at = read.one(ctx, name), ctx.clock.now()
        rollout = seen.state.rollout
        pointless, allowed = declare_emergency.pointless(rollout), rollout.spec.strategy.emergency
        return render(
            request,
            "emergency.html",
            at,
            view=seen.view,
            pointless=pointless,
            skips=[] if pointless else left_to_skip(rollout, context.freezes(ctx), at),
            lasts=allowed.expires_after_seconds,
            groups=[] if set(allowed.groups) & set(person.groups) else allowed.groups,
            pending=asked_for(seen.state, at),
            may=may_hurry(seen.state, person, at),
            right=has_the_right(person),
        )

    @found.post("/rollouts/{name}/emergency")
    def declare(request: Request, name: str, csrf: Short, plan: Short, why: Comment = "") -> Response:
        checked(request, csrf)
        ctx = as_seen(request, parts)
        state = context.read(ctx, name)
        if state.rollout.spec.plan_digest != plan:
            raise Refused(f"{name} is another rollout by now; read it again before you declare an emergency")
        declared = declare_emergency.declare(ctx, state, why.strip())
        return RedirectResponse(f"/rollouts/{name}{'' if declared.again else '?done=emergency'}", 303)

    return found
