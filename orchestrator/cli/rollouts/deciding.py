"""`approve`, `reject` and `promote`: a decision is recorded, and said how the gates stand then."""

from __future__ import annotations

from orchestrator.cli import wiring
from orchestrator.cli.machine_output import tame
from orchestrator.cli.process import interruptible
from orchestrator.cli.rollouts.gates import told
from orchestrator.cli.rollouts.interventions import carried_out, find_rollout
from orchestrator.cli.wiring import Target
from orchestrator.context import read
from orchestrator.operations import approve as deciding
from orchestrator.operations.approve import Decision

WORDS = {"approve": "approved", "reject": "rejected"}


def decide(target: Target, name: str, what: Decision, here: bool) -> int:
    """Raises Refused where it would not count, Forbidden where the API server does not take it from this user."""
    with interruptible() as stop:
        ctx = wiring.connected(target, stop)
        rollout = find_rollout(ctx, name).name
        done = deciding.decide(ctx, read(ctx, rollout), what)
        said = f"wave {done.wave} {WORDS[what.decision]} by {done.user}"
        said += " with a broken glass" if what.break_glass else ""
        if done.again:
            said = f"wave {done.wave} has the approval of {done.user} already"
        code = carried_out(ctx, rollout, said, here, stop)
        if not here and what.decision == "approve":
            for gate in done.gates:
                print("\n".join(tame(text) for text in told(gate)))
        return code
