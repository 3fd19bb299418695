"""How a rollout ended, as data."""

from typing import Any

from orchestrator.rollout.next import State


def report(name: str, state: State) -> dict[str, Any]:
    """A rollout's end: `name` is the demo's scenario, or empty."""
    rollout = state.rollout
    waves = []
    for number, wave in enumerate(rollout.spec.waves):
        analysis = state.analyses.get(number)
        names = wave.namespace_names
        waves.append(
            {
                "wave": number,
                "why": wave.why,
                "namespaces": names,
                "phases": {n.spec.namespace: n.status.phase for n in state.in_wave(number)},
                "watched": analysis.spec.watched if analysis else [],
                "controlGroup": analysis.spec.control_group if analysis else [],
                "verdict": analysis.status.phase if analysis else "Pending",
            }
        )
    return {
        "name": rollout.name,
        **({"scenario": name} if name else {}),
        "revision": rollout.spec.revision,
        "phase": rollout.status.phase,
        "waves": waves,
        "reason": rollout.status.reason,
        "details": rollout.status.details,
        "restoredSeconds": rollout.status.restored_seconds,
    }
