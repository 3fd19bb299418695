"""`/rollouts/NAME`: everything about one rollout, and what may be asked of it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from orchestrator.errors import Refused
from orchestrator.operations import requests
from orchestrator.operations.start import find_source
from orchestrator.rollout.resources.model import UNASKED, PolicySourceStatus
from orchestrator.rollout.resources.resource import Rollout
from orchestrator.server.pages import read
from orchestrator.server.pages.gate_view import asked_for, may_hurry, standing
from orchestrator.server.pages.page import as_seen, checked, pages, viewer
from orchestrator.server.pages.render import render
from orchestrator.server.parts import Parts, Viewer

Verb = Literal["pause", "resume", "abort", "rollback"]
Short = Annotated[str, Form(max_length=512)]


@dataclass(frozen=True)
class Offer:
    """One thing that may be asked for now; `careful` wants a second look before."""

    verb: Verb
    label: str
    says: str
    careful: bool = False


OFFERS = (
    Offer("resume", "Go on", "An inconclusive analysis starts over."),
    Offer(
        "pause",
        "Pause",
        "It stops where it is; what was written stays, and stays watched.",
    ),
    Offer(
        "abort",
        "Roll everything back",
        "Every namespace that was written gets what stood there before.",
        True,
    ),
    Offer("rollback", "Take this change back", "Every namespace gets what stood there before it.", True),
)
SAID = {
    "pause": "Asked to pause.",
    "resume": "Asked to go on.",
    "abort": "Asked to roll everything back.",
    "rollback": "Asked to take the change back.",
    "approve": "Your approval is recorded.",
    "reject": "Your no is recorded; everything is rolled back.",
    "emergency": "EMERGENCY declared in your name. The controller takes it up.",
    "release": "The revision is released; the controller starts it again at its next poll.",
}


def router(parts: Parts) -> APIRouter:
    """The page and its forms."""
    found = pages()

    @found.get("/rollouts/{name}")
    def rollout(request: Request, name: str, done: str = "") -> HTMLResponse:
        ctx, person = as_seen(request, parts), viewer(request)
        seen, at = read.one(ctx, name), ctx.clock.now()
        source = read.status_of(ctx, seen.view.source)
        return render(
            request,
            "rollout.html",
            at,
            seen=seen,
            view=seen.view,
            gates=standing(seen, at),
            offers=offers(seen.state.rollout, source, person),
            may_approve=person.may("create", "rolloutapprovals"),
            may_release=may_release(seen.state.rollout, source, person),
            said=SAID.get(done, ""),
            loud=done == "emergency",
            pending=asked_for(seen.state, at),
            may_hurry=may_hurry(seen.state, person, at),
        )

    @found.post("/rollouts/{name}/ask")
    def ask(request: Request, name: str, verb: Annotated[Verb, Form()], csrf: Short) -> Response:
        checked(request, csrf)
        ctx = as_seen(request, parts)
        requests.ask(ctx, requests.find_rollout(ctx, name), verb)
        return RedirectResponse(f"/rollouts/{name}?done={verb}", 303)

    @found.post("/rollouts/{name}/release")
    def release(request: Request, name: str, csrf: Short) -> Response:
        checked(request, csrf)
        ctx = as_seen(request, parts)
        spec = requests.find_rollout(ctx, name).spec
        requests.release(ctx, find_source(ctx, spec.source), spec.revision)
        return RedirectResponse(f"/rollouts/{name}?done=release", 303)

    return found


def offers(rollout: Rollout, source: PolicySourceStatus, person: Viewer) -> list[Offer]:
    """What makes sense in this phase, where the viewer may ask at all."""
    if not person.may("update", "policyrollouts"):
        return []
    return [offer for offer in OFFERS if _sensible(rollout, source, offer.verb)]


def _sensible(rollout: Rollout, source: PolicySourceStatus, verb: Verb) -> bool:
    phase = rollout.status.phase
    if verb == "pause" and phase == "Paused" and rollout.status.paused_for not in UNASKED:
        return False
    if verb == "rollback" and phase == "Succeeded" and source.current_revision_rollout != rollout.name:
        return False  # older states are a Git revert
    try:
        requests.sensible(rollout, verb)
    except Refused:
        return False
    return True


def may_release(rollout: Rollout, source: PolicySourceStatus, person: Viewer) -> bool:
    """Whether the source holds this revision, and the viewer may let it take the same again."""
    held = rollout.status.phase == "RolledBack" and source.blocked_revision == rollout.spec.revision
    return held and person.may("update", "policysources/status")
