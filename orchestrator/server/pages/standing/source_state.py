"""How a source stands, in a state, a word and a sentence, and where it comes from."""

import re

from orchestrator.record.view import WaveState
from orchestrator.rollout.resources.conditions import of_type, readiness, whole
from orchestrator.server.pages.read import Standing

_USER = re.compile(r"(?<=://)[^/@]*@|\?.*")


def state_of(source: Standing) -> tuple[WaveState, str, str]:
    """A state as in waves, a word and what is to be said of a source."""
    if source.problem:
        return "bad", "Unreadable", source.problem
    status = source.status
    ready = of_type(status.conditions, "Ready")
    message = readiness(status.conditions, status.details)
    if status.active_rollout and (ready is None or ready.status == "True"):
        return "running", "Rolling out", message
    if source.suspend:
        return "waiting", "Suspended", "starts nothing until somebody takes suspend off"
    if ready is not None and ready.status != "True":
        return "bad", ready.reason, message
    if status.blocked_revision:
        return "undone", "Held", status.blocked_reason.partition("\n")[0]
    orphaned = of_type(status.conditions, "Orphaned")
    if orphaned is not None and orphaned.status == "True":
        return "undone", "Orphaned", whole(status.conditions, status.details, "Orphaned")
    return ("good" if ready else "ahead"), "In force" if ready else "New", message


def address(url: str) -> str:
    """A repository's address, without what should never have stood in it: a user, a password, a query."""
    return _USER.sub("", url)
