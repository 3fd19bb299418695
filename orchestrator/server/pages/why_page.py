"""`/rollouts/NAME/why`: a rollback for whoever is on call, readable on a telephone at night."""

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from orchestrator.record.view import RolloutView
from orchestrator.server.pages import read
from orchestrator.server.pages.page import as_seen, pages
from orchestrator.server.pages.render import duration, render
from orchestrator.server.parts import Parts

Said = tuple[str, str, str]


def router(parts: Parts) -> APIRouter:
    """The route of the page."""
    found = pages()

    @found.get("/rollouts/{name}/why")
    def why(request: Request, name: str) -> HTMLResponse:
        ctx = as_seen(request, parts)
        seen = read.one(ctx, name)
        view = seen.view
        facts = dict(view.explained)
        return render(
            request,
            "why.html",
            ctx.clock.now(),
            seen=seen,
            view=view,
            answer=answer(view),
            what=broken(view, facts),
            facts={key: facts.get(key, "") for key in ("reason", "connections", "cause", "confidence")},
            times=times(view),
            steps=steps(view, read.status_of(ctx, view.source).blocked_revision == view.revision),
        )

    return found


def answer(view: RolloutView) -> Said:
    """A state, the first thing to know, and how it is known."""
    took = f"in {duration(view.restored_seconds)}" if view.restored_seconds is not None else ""
    if view.phase == "RollingBack":
        return "running", "It is being rolled back now", "Nobody has to do anything for that."
    if view.phase == "Failed":
        return "bad", "Not everything could be restored", view.reason or "A person is needed now."
    if view.phase in ("RolledBack", "Superseded"):
        title = f"Everything was restored {took}".rstrip()
        if view.verified == "True":
            return "good", f"{title}, and verified", f"{read_back()}; {view.verified_message}."
        if view.verified == "Unknown":
            return (
                "waiting",
                title,
                f"{read_back()}, but probes could not confirm it: {view.verified_message}.",
            )
        if view.verified == "False":
            return "bad", f"{title}, yet connections differ", view.verified_message
        return "undone", title, f"{read_back()}."
    if view.phase == "Paused":
        return "waiting", "It stands still; nothing was rolled back", view.waits_for or view.reason
    return "good", f"Nothing was rolled back: it is {view.phase}", view.reason


def read_back() -> str:
    """What `restored` means."""
    return "Every namespace was read back equal to what stood there before"


def broken(view: RolloutView, facts: dict[str, str]) -> list[str]:
    """What a person decided, else what was seen, the most telling part first."""
    text = (
        facts.get("reason")
        or facts.get("detected")
        or facts.get("measured")
        or view.reason
        or "Nothing broke."
    )
    return [part.strip() for part in text.partition("\n")[0].split(";")]


def times(view: RolloutView) -> list[tuple[str, datetime, str]]:
    """Written, noticed, rolled back: the wave that went wrong, or the last that was written."""
    written = [c.applied_at for w in view.waves for c in w.cells if c.applied_at]
    bad = [c.applied_at for w in view.waves if w.state == "bad" for c in w.cells if c.applied_at]
    found: list[tuple[str, datetime, str]] = []
    if written:
        start = max(bad or written)
        found.append(("Applied", start, "the change reached its last namespace"))
        if view.detected_at:
            after = duration((view.detected_at - start).total_seconds())
            found.append(("Detected", view.detected_at, f"{after} later"))
    elif view.detected_at:
        found.append(("Detected", view.detected_at, ""))
    if view.restored_at:
        found.append(("Rolled back", view.restored_at, f"{duration(view.restored_seconds)} after detection"))
    return found


def steps(view: RolloutView, held: bool = False) -> list[str]:
    """What to do, in order; `held` is whether the source still holds the revision."""
    if view.phase == "RollingBack":
        return ["Wait: it is rolled back from what was recorded, without Git or Prometheus."]
    if view.phase == "Failed":
        return [
            "Look at the namespaces that are not restored, in the waves below the rollout.",
            f"Restore them by hand, or ask again: netpol-canary rollback {view.name}",
        ]
    if view.phase == "Paused":
        return [
            f"Look at the evidence, then go on or roll everything back: netpol-canary describe {view.name}"
        ]
    if view.phase == "Superseded":
        return ["Nothing: a newer revision takes its place."]
    if view.phase == "RolledBack":
        calm = "Nothing is urgent: what ran before this change runs again."
        if not held:
            return [
                calm,
                f"The revision is not blocked any more: {view.source} has gone on, or somebody released it.",
            ]
        return [
            calm,
            f"Fix commit {view.revision[:10]} or revert it in Git; the next merge is rolled out by itself.",
            f"This revision is blocked. If it was not to blame, release it: netpol-canary retry {view.source}",
        ]
    return ["Nothing."]
