"""Prove that approvals can be believed, before they are counted; pause in sight where they cannot."""

from orchestrator.context import Context, change
from orchestrator.errors import ApiError, Busy
from orchestrator.rollout.gates.approval_proof import CONDITION, condition, trials
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import put

MOST_REASON = 2000


def run(ctx: Context, state: State, action: Action) -> None:
    """Write down what a dry run found: a transition only where that is news. RetryLater's kin where nothing answers."""
    doubt, now = _doubt(ctx, state), ctx.clock.now()
    old = condition(state.rollout)
    value: m.ConditionStatus = "False" if doubt else "True"
    same = old is not None and old.status == value
    reason = "ApprovalsUnproven" if doubt else "AdmissionPolicyEnforced"
    message = doubt or "the API server refuses approvals in another's name"
    known = state.rollout.status.conditions
    fields = {"approvals_proven_at": now, "conditions": put(known, CONDITION, value, reason, message, now)}
    if doubt or (old is not None and not same):  # who knows who said what was said until now
        fields["approvals_unproven_at"] = now
    if not doubt and old is not None and not same:
        text = "approvals are proven by the API server again; older ones do not count"
        change(ctx, state, Action("vouch", action.wave, "ApprovalsProven", text), reason=text, **fields)
    elif not doubt:
        change(ctx, state, Action("vouch"), **fields)
    else:
        said = Action("vouch", action.wave, "" if same else "ApprovalsUnproven", doubt)
        if not state.rollout.status.wave_is_open:  # what is written goes on being watched
            fields |= {"phase": "Paused", "paused_for": "approval", "reason": doubt}
        change(ctx, state, said, **fields)


def _doubt(ctx: Context, state: State) -> str:
    """Why approvals cannot be believed; empty where the policy refused what it must refuse."""
    for trial in trials(state.rollout, ctx.namespace, ctx.cluster.user()[0]):
        try:
            ctx.cluster.create(trial.obj, dry_run=True)
        except Busy:
            raise
        except ApiError as error:
            if trial.refusal in str(error):
                continue
            found = f"{trial.what} is refused, but not for that: {error}"
        else:
            found = f"the API server accepts {trial.what}"
        text = f"approvals cannot be trusted: {found}; `kubectl apply -k config/admission` sets the policy up"
        return text[:MOST_REASON]
    return ""
