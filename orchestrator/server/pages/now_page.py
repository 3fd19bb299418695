"""`/`: what runs, what each rollout waits for and who can help it on, and the sources."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from orchestrator.rollout.resources.model import BY_ITSELF, TERMINAL
from orchestrator.server.pages import read
from orchestrator.server.pages.gate_view import standing
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import render
from orchestrator.server.pages.standing.source_state import state_of
from orchestrator.server.parts import Parts
from orchestrator.wording import agreeing, many_first

MOST_ENDED = 5


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/")
    def now(request: Request) -> HTMLResponse:
        ctx = as_seen(request, parts)
        rollouts = read.rollouts(ctx)
        running = read.running(ctx, rollouts)
        at = ctx.clock.now()
        return render(
            request,
            "now.html",
            at,
            headline=headline(running),
            running=[(seen, standing(seen, at)) for seen in running],
            ended=[r for r in rollouts if r.status.phase in TERMINAL][:MOST_ENDED],
            freezes=read.freezes(ctx, at),
            sources=[(source, state_of(source)) for source in read.sources(ctx)],
        )

    return found


def headline(running: list[read.Seen]) -> str:
    """The page in one sentence."""
    paused = [seen.view.paused_for for seen in running if seen.view.phase == "Paused"]
    timed = sum(reason in BY_ITSELF for reason in paused)
    waiting = len(paused) - timed
    if not running:
        return "Nothing is being rolled out"
    going = len(running) - len(paused)
    parts: list[str] = []
    for count, one, several in (
        (waiting, "waits for somebody", "wait for somebody"),
        (timed, "waits for a better time", "wait for a better time"),
        (going, "is under way", "are under way"),
    ):
        if count:
            who = str(count) if parts else many_first(count, "rollout")
            parts.append(f"{who} {agreeing(count, one, several)}")
    return ", ".join(parts)
