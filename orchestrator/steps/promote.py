"""Declare a wave good and go on, or the whole rollout."""

from orchestrator.context import Context, change
from orchestrator.errors import Refused, Waiting
from orchestrator.rollout.next import Action, State
from orchestrator.writing.pod_labels import remove
from orchestrator.writing.stray_bridges import none_left

MOST_WAIT = 5.0  # seconds, so that whoever waits keeps its place
AGAIN = 1.0  # seconds until it is looked again


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
    """The last wave was good, and nothing temporary stands: not even what a replaced worker created late.

    Raises Waiting while such a creation may land yet, or one that landed does not go.
    """
    _evidence(state, action.wave)
    if left := ctx.tenure.left(ctx.clock):
        raise Waiting("what was asked for before may be written yet", min(left, MOST_WAIT))
    remove(ctx, state.rollout.spec.waves[: action.wave])
    if not none_left(ctx, state.rollout.manifest):
        raise Waiting("a temporary policy that was created late does not go", AGAIN)
    change(ctx, state, action, phase="Succeeded", reason=action.message)
