"""Declare a wave good and go on, or the whole rollout."""

from orchestrator.context import Context, change
from orchestrator.errors import Refused
from orchestrator.rollout.next import Action, State
from orchestrator.writing.pod_labels import remove


def _evidence(state: State, wave: int) -> None:
    analysis = state.analyses.get(wave)
    if analysis is None or analysis.status.phase != "Successful":
        raise Refused(f"wave {wave} has no successful analysis")
    written = {n for n, r in state.namespaces.items() if r.status.phase in ("Applied", "Deleted")}
    if left := sorted(set(state.wave_places(wave)) - written):
        raise Refused(f"wave {wave} was not written to {', '.join(left[:3])}")


def run(ctx: Context, state: State, action: Action) -> None:
    """The next wave."""
    _evidence(state, action.wave)
    remove(ctx, state.rollout.spec.waves[: action.wave])
    change(ctx, state, action, wave=state.rollout.status.waves_started)


def succeed(ctx: Context, state: State, action: Action) -> None:
    """The last wave was good."""
    _evidence(state, action.wave)
    remove(ctx, state.rollout.spec.waves[: action.wave])
    change(ctx, state, action, phase="Succeeded", reason=action.message)
