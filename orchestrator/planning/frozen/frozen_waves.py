"""The waves of a plan as they are frozen with a rollout, and back."""

from collections.abc import Sequence

from orchestrator.rollout.order.plan import Plan
from orchestrator.rollout.order.waves import Part, PlannedWave
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.places import stage, whole


def frozen_place(plan: Plan, wave: PlannedWave, place: str) -> m.WaveNamespace:
    """What a wave writes to a place."""
    item, part = plan.written(place), wave.parts.get(place, Part(()))
    return m.WaveNamespace(
        name=whole(place),
        stage=stage(place),
        before=objects.digest(item.before),
        after=objects.digest(item.after),
        covers=list(part.covers),
        pods=list(part.pods),
        both=part.both,
    )


def arranged(wave: m.Wave) -> PlannedWave:
    """A frozen wave as the plan had it."""
    parts = {
        n.place: Part(tuple(n.covers), tuple(n.pods), n.both)
        for n in wave.namespaces
        if n.covers or n.pods or n.both
    }
    return PlannedWave(tuple(wave.places), wave.why, parts)


def placed_gates(gates: Sequence[m.Gate], waves: Sequence[PlannedWave]) -> list[m.Gate]:
    """The gates of a strategy by the numbers of the waves as they were planned: some pods may come before its first."""
    if all(wave.step is None for wave in waves):
        return list(gates)
    return [
        gate.model_copy(update={"wave": number})
        for gate in gates
        for number, wave in enumerate(waves)
        if wave.step == gate.wave
    ]
