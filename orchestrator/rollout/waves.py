"""Which namespaces change together, and why: the canary first, then the strategy's steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.errors import BadInput
from orchestrator.rollout.resources.model import Label, Strategy
from orchestrator.rollout.resources.places import CLUSTER, spaces

CLUSTER_WIDE = "cluster-wide, at once"


@dataclass(frozen=True)
class PlannedWave:
    """Namespaces that change together; `why` says which rule put them here."""

    namespaces: tuple[str, ...]
    why: str


def _matching(
    names: Sequence[str], labels: Mapping[str, Mapping[str, str]], wanted: Sequence[Label]
) -> list[str]:
    return [n for n in names if all(labels.get(n, {}).get(w.key) == w.value for w in wanted)]


def arrange(
    changed: Mapping[str, Mapping[str, str]], strategy: Strategy, *, known: frozenset[str] = frozenset()
) -> list[PlannedWave]:
    """Waves over the changed namespaces (name to labels), in a stable, alphabetical order.

    Wave 0 is the canary: the named or labelled namespaces that change; the first by name where the
    strategy says nothing or none of them changes. Steps follow, then what they leave over; what is for the whole
    cluster comes last, by itself.
    """
    left = sorted(spaces(changed))
    last = [PlannedWave((CLUSTER,), CLUSTER_WIDE)] if CLUSTER in changed else []
    if not left:
        return last
    for name in strategy.canary:
        if known and name not in known:
            raise BadInput(
                f"the canary namespace {name} does not exist or is outside the source",
                "strategy.canary",
                "name a namespace that the source selects",
            )
    canary = [n for n in left if n in strategy.canary]
    why = "canary, by name"
    if not canary and strategy.canary_match_labels:
        canary = _matching(left, changed, strategy.canary_match_labels)
        why = "canary, by labels"
    if not canary:
        canary, why = left[:1], "canary: the first by name"
    waves = [PlannedWave(tuple(canary), why)]
    left = [n for n in left if n not in canary]
    total = len(left) + len(canary)
    for number, step in enumerate(strategy.steps, 1):
        given = (step.count is not None) + (step.percent is not None) + bool(step.match_labels)
        if given != 1:
            raise BadInput(
                "a step takes exactly one of count, percent, matchLabels", f"strategy.steps[{number - 1}]"
            )
        if step.count is not None:
            chosen, why = left[: step.count], f"step {number}: {step.count} more"
        elif step.percent is not None:
            target = math.ceil(total * step.percent / 100)
            chosen, why = (
                left[: max(target - (total - len(left)), 0)],
                f"step {number}: up to {step.percent} %",
            )
        else:
            chosen, why = _matching(left, changed, step.match_labels), f"step {number}: by labels"
        if chosen:
            waves.append(PlannedWave(tuple(chosen), why))
            left = [n for n in left if n not in chosen]
    if left:
        waves.append(PlannedWave(tuple(left), "the rest"))
    return [*waves, *last]
