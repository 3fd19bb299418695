"""The gates before the wave that waits, why somebody's own approval would not count there, and who may pass by in an emergency."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.operations.declare_emergency import pointless
from orchestrator.rollout.gates import emergency
from orchestrator.rollout.gates.approvals import GateState, Voice, gates
from orchestrator.rollout.state import State
from orchestrator.server.pages.read import Seen
from orchestrator.server.parts import Viewer


def standing(seen: Seen, now: datetime) -> tuple[GateState, ...]:
    """Empty where the rollout waits for no approval."""
    if not seen.waits_for_approval:
        return ()
    rollout = seen.state.rollout
    return gates(rollout, rollout.status.wave, seen.state.approvals, now)


def objection(found: Sequence[GateState], person: Viewer) -> str:
    """Why an approval of this person would open none of the gates; empty where it would help."""
    if not found:
        return ""
    if any(person.user in gate.barred for gate in found):
        return "You wrote a part of this change, so your own approval would not count. Somebody else has to review it."
    if all(any(v.user == person.user for v in gate.given) for gate in found if gate.missing):
        return "You have approved already; somebody else is missing."
    wanted = [gate for gate in found if gate.missing]
    if wanted and all(gate.groups and not set(gate.groups) & set(person.groups) for gate in wanted):
        groups = sorted({g for gate in wanted for g in gate.groups})
        return f"Your approval would not count: you are not in {' or '.join(groups)}."
    return ""


def asked_for(state: State, now: datetime) -> Voice | None:
    """Who declared an emergency that nobody has taken up yet."""
    return emergency.asked(state.rollout, state.approvals, now)


def may_hurry(state: State, person: Viewer, now: datetime) -> bool:
    """Whether this person may declare an emergency, and there is none."""
    hurried = emergency.standing(state.rollout, now) or asked_for(state, now) is not None
    return not hurried and not pointless(state.rollout) and has_the_right(person)


def has_the_right(person: Viewer) -> bool:
    """To declare an emergency, wherever a source allows it."""
    return all(person.may(verb, "rolloutapprovals") for verb in ("create", "emergency"))
