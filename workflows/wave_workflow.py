"""What the controller does about a wave that Argo works on: submit its Workflow, follow it, and never forget it."""

from dataclasses import dataclass, replace

import structlog

from orchestrator.context import Context, change, read
from orchestrator.errors import Conflict, NotFound, Refused
from orchestrator.ports import Manifest
from orchestrator.rollout.handoff import Handoff, Seen, handed, known
from orchestrator.rollout.next import FORWARD, Action, State, next_action
from orchestrator.steps.by_action import STEPS
from workflows.submission import TEMPLATE, WORKFLOW, workflow
from workflows.templates import STEP, WAVE


@dataclass(frozen=True)
class Waves:
    """For an engine that holds the rollout's Lease; all that it knows is in the cluster."""

    def __call__(self, ctx: Context, state: State, action: Action) -> bool:
        """True where the action is, or becomes, a workflow's; False where it is to be done here.

        Raises Refused where the WorkflowTemplates are not installed, and what the API server answers.
        """
        rollout, wave = state.rollout, state.rollout.status.wave
        status = rollout.status
        if rollout.spec.strategy.engine != "argo" or action.verb not in FORWARD:
            return False
        if status.phase != "Progressing" or not status.wave_is_open:
            return False
        found = handed(rollout, wave, seen(ctx, known(rollout, wave).name))
        if found.verb == "submit":
            _submit(ctx, state, found)
        elif found.verb == "adopt":
            _note(ctx, state, found)
        elif found.verb in ("next", "back"):
            _ended(ctx, state, found)
        return True


def seen(ctx: Context, name: str) -> Seen | None:
    """A workflow as it stands; None where there is none of that name."""
    try:
        return _read(ctx.cluster.get(WORKFLOW, name, ctx.namespace))
    except NotFound:
        return None


def _read(obj: Manifest) -> Seen:
    status = obj.get("status") or {}
    return Seen(
        str(obj["metadata"].get("uid", "")),
        str(status.get("phase", "")),
        str(status.get("message", "")),
        str((obj.get("spec") or {}).get("shutdown", "")),
    )


def _submit(ctx: Context, state: State, found: Handoff) -> None:
    for name in (WAVE, STEP):
        try:
            ctx.cluster.get(TEMPLATE, name, ctx.namespace)
        except NotFound:
            hint = "`netpol-canary workflows render | kubectl apply -f -` installs it"
            raise Refused(f"no WorkflowTemplate {name} in the namespace {ctx.namespace}; {hint}") from None
    made = workflow(state.rollout, state.rollout.status.wave, found.workflow.name)
    try:
        created = ctx.cluster.create(made)
    except Conflict:  # another worker did, and died before it could say so
        return
    structlog.get_logger().info("a workflow was submitted", workflow=found.workflow.name)
    _note(ctx, state, handed(state.rollout, state.rollout.status.wave, _read(created)))


def _note(ctx: Context, state: State, found: Handoff) -> None:
    """Which workflow it is that works on the wave: one that is gone later was there."""
    wave = state.rollout.status.wave
    note = Action("wait", wave, found.reason, f"wave {wave} is worked on by {found.message}")
    change(ctx, state, note, workflow=found.workflow)


def _ended(ctx: Context, state: State, found: Handoff) -> None:
    """Take the wave up again or roll it back; not where it was decided between the two looks."""
    fresh = replace(read(ctx, state.rollout.name), watched=state.watched)
    wave = fresh.rollout.status.wave
    if next_action(fresh, ctx.clock.now()).verb not in FORWARD or wave != found.workflow.wave:
        return
    if found.verb == "back":
        STEPS["rollback"](ctx, fresh, Action("rollback", wave, found.reason, found.message))
        return
    note = Action("wait", wave, found.reason, found.message)
    change(ctx, fresh, note, workflow=found.workflow)
