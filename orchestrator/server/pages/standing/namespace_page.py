"""`/namespaces/NAME`: which policies stand there, whose, since which rollout, who may connect, and what changed lately."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import render
from orchestrator.server.pages.standing.namespace_view import NamespaceView, namespace_view
from orchestrator.server.parts import Parts
from orchestrator.wording import many


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/namespaces/{name}")
    def namespace(request: Request, name: str) -> HTMLResponse:
        ctx = as_seen(request, parts)
        view = namespace_view(ctx, name)
        return render(
            request,
            "namespace.html",
            ctx.clock.now(),
            view=view,
            summary=summary(view),
            open_to=open_to(view),
        )

    return found


def summary(view: NamespaceView) -> str:
    """Its policies in one sentence."""
    if view.hidden and not view.policies:
        return f"What its policies are is not shown: {view.hidden}."
    count = len(view.policies) + view.more_policies
    if not count:
        return "No policy stands here."
    owned = sum(bool(p.source) for p in view.policies)
    text = f"{many(count, 'policy')}, of which {owned} of a source of netpol-canary."
    return f"{text} Not all are shown: {view.hidden}." if view.hidden else text


def open_to(view: NamespaceView) -> list[str]:
    """The directions in which no policy that is shown says anything; none where some are not shown."""
    if view.hidden or view.more_policies or any(not p.rules for p in view.policies):
        return []
    return [word for word in ("Ingress", "Egress") if not view.rules(word)]
