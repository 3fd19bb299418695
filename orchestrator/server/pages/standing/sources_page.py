"""`/sources`: of each source what is in force, blocked and orphaned, and what to do where somebody is needed."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from orchestrator.record.view import WaveState
from orchestrator.rollout.resources.conditions import of_type, whole
from orchestrator.server.pages import read
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import render
from orchestrator.server.pages.standing.source_state import address, state_of
from orchestrator.server.parts import Parts
from orchestrator.wording import agreeing, many_first

MOST_SOURCES, MOST_NAMESPACES = 100, 100


@dataclass(frozen=True)
class SourceCard:
    """One source in words. `orphaned` and `drifted` are empty where nothing is, or nobody looked."""

    name: str
    state: WaveState
    word: str
    message: str
    repository: str
    source: read.Standing
    namespaces: tuple[str, ...]
    more: int
    orphaned: str
    drifted: str
    steps: tuple[str, ...]

    @property
    def needs_somebody(self) -> bool:
        """Also where a rollout is under way beside what is blocked or orphaned."""
        return self.state in ("bad", "undone") or bool(self.source.status.blocked_revision or self.orphaned)


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/sources")
    def sources(request: Request) -> HTMLResponse:
        ctx = as_seen(request, parts)
        cards = sorted(map(card, read.sources(ctx)), key=lambda c: (not c.needs_somebody, c.name))
        return render(
            request,
            "sources.html",
            ctx.clock.now(),
            headline=headline(cards),
            cards=cards[:MOST_SOURCES],
            more=max(0, len(cards) - MOST_SOURCES),
        )

    return found


def headline(cards: Sequence[SourceCard]) -> str:
    """The page in one sentence."""
    if not cards:
        return "There is no source yet"
    needing = sum(card.needs_somebody for card in cards)
    if not needing:
        return "Nothing is blocked or orphaned"
    return f"{many_first(needing, 'source')} {agreeing(needing, 'needs', 'need')} somebody"


def card(source: read.Standing) -> SourceCard:
    """One source, from its own object."""
    state, word, message = state_of(source)
    git = source.spec.git if source.spec else None
    names = source.status.current_revision_namespaces
    return SourceCard(
        source.name,
        state,
        word,
        message,
        f"{address(git.url)}, {git.path or 'all of it'}, branch {git.branch}" if git else "",
        source,
        tuple(names[:MOST_NAMESPACES]),
        max(0, len(names) - MOST_NAMESPACES),
        _said(source, "Orphaned"),
        _said(source, "Drifted"),
        tuple(steps(source)),
    )


def _said(source: read.Standing, kind: str) -> str:
    status = source.status
    found = of_type(status.conditions, kind)
    return whole(status.conditions, status.details, kind) if found and found.status == "True" else ""


def steps(source: read.Standing) -> list[str]:
    """What to do next, in order; empty where nobody is needed."""
    status = source.status
    if source.problem:
        return ["Correct the PolicySource: what is wrong with it stands above."]
    found = []
    ready = of_type(status.conditions, "Ready")
    if ready is not None and ready.status != "True" and not status.blocked_revision:
        found.append(f"See what a rollout would do: netpol-canary plan --source {source.name}")
    if status.blocked_revision:
        commit = status.blocked_revision[:10]
        found.append(f"Fix commit {commit} or revert it in Git; the next merge is rolled out by itself.")
        found.append(f"If it was not to blame, release it: netpol-canary retry {source.name}")
    if source.suspend:
        found.append("Set suspend to false in the source when rollouts may start again.")
    return found
