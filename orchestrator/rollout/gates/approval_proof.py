"""Whether approvals can be believed: what is tried to prove that the admission policy stands, and how long that holds.

The API server vouches for a RolloutApproval's user and groups only while config/admission is in force.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import of_type
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.resource import Rollout, new

CONDITION = "ApprovalsProven"
FRESH_SECONDS = 30  # a proof is believed, and a missing one is looked for again
NOBODY = "netpol-canary:somebody-else"
NOT_THE_USER = "spec.user must be the user who creates the approval"
NO_REASON = "an emergency goes with a comment that says why"
NOT_IN_THE_GROUP = "spec.groups must be groups of the user who creates the approval"


@dataclass(frozen=True)
class Trial:
    """An approval that must be refused, with this text; `what` names it for people."""

    what: str
    obj: Manifest
    refusal: str


def trials(rollout: Rollout, namespace: str, user: str) -> tuple[Trial, ...]:
    """What `user` tries as a dry run: an approval in another's name, one with a group that nobody is in.

    And where an emergency may be declared, one without a reason.
    """
    given = {"rollout": rollout.name, "wave": rollout.status.wave, "plan_digest": rollout.spec.plan_digest}
    other = m.RolloutApprovalSpec(user=NOBODY, comment="a dry run", **given)
    group = m.RolloutApprovalSpec(user=user[:253], groups=[NOBODY], comment="a dry run", **given)

    hurry = m.RolloutApprovalSpec(user=user[:253], decision="emergency", **given)

    def made(spec: m.RolloutApprovalSpec) -> Manifest:
        return new("RolloutApproval", f"{rollout.name[:240]}-proof", namespace, spec)

    found = (
        Trial("an approval in another's name", made(other), NOT_THE_USER),
        Trial("an approval with somebody else's group", made(group), NOT_IN_THE_GROUP),
    )
    if rollout.spec.strategy.emergency.skip:  # a policy of an older version asks for no right to it
        return (*found, Trial("an emergency without a reason", made(hurry), NO_REASON))
    return found


def condition(rollout: Rollout) -> m.Condition | None:
    """What the last proof found."""
    return of_type(rollout.status.conditions, CONDITION)


def proven(rollout: Rollout, now: datetime) -> bool | None:
    """What the last proof found; None where there is none, or it is too old."""
    at, found = rollout.status.approvals_proven_at, condition(rollout)
    if at is None or found is None or not at <= now < until(at):
        return None
    return found.status == "True"


def until(proved_at: datetime) -> datetime:
    """When a proof has to be made again."""
    return proved_at + timedelta(seconds=FRESH_SECONDS)
