"""Which namespaces change together, and why: the canary first, then the strategy's steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.rollout.resources.model import Label, Strategy, WaveNamespace
from orchestrator.rollout.resources.objects import CANARY_LABEL
from orchestrator.rollout.resources.places import CLUSTER, spaces, whole, worded
from orchestrator.wording import few

CLUSTER_WIDE = "cluster-wide, at once"
MOST_NAMED = 3


def labels_text(labels: Sequence[Label]) -> str:
    """Labels for people."""
    return " and ".join(f"{label.key}={label.value}" for label in labels)


def selector_of(labels: Sequence[Label]) -> dict[str, Any]:
    """A LabelSelector of them; empty for any pod."""
    return {"matchLabels": {label.key: label.value for label in labels}} if labels else {}


@dataclass(frozen=True)
class Part:
    """The pods of a place that come to the new policies with a wave: of the namespaces `covers`, with the labels `pods`.

    With `both` they may do what either the old or the new ones allow, until a later wave.
    """

    covers: tuple[str, ...]
    pods: tuple[Label, ...] = ()
    both: bool = False

    def text(self, place: str) -> str:
        """Which pods of a place, for people; empty where it is all."""
        others = self.covers not in ((), (whole(place),))
        words = [f"for {few(self.covers, MOST_NAMED)}"] if others else []
        ours = any(label.key == CANARY_LABEL for label in self.pods)
        words += ["some pods" if ours else f"pods with {labels_text(self.pods)}"] if self.pods else []
        words += ["old and new together"] if self.both else []
        return ", ".join(words)


def part_of(place: WaveNamespace) -> str:
    """Which pods of a place a frozen wave changes, for people; empty where it changes all."""
    return Part(tuple(place.covers), tuple(place.pods), place.both).text(place.name)


@dataclass(frozen=True)
class PlannedWave:
    """Places that change together, in the order in which they are written; `why` says which rule put them here.

    Of a place that changes for some of its pods at a time, `parts` has what this wave does, by its name in the wave. `step` is
    the wave of the strategy that it stands for, by which gates count: -1 for one that has none of its own, None where all are
    as the strategy has them.
    """

    namespaces: tuple[str, ...]
    why: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    step: int | None = None

    def worded(self, place: str) -> str:
        """A place in this wave, for people."""
        return ", ".join(filter(None, (worded(place), self.part(place).text(place))))

    def part(self, place: str) -> Part:
        """What of a place it changes; all of it where nothing else is said."""
        return self.parts.get(place) or Part((whole(place),))

    @property
    def names(self) -> list[str]:
        """The namespaces in which it changes something; the cluster where it changes as a whole."""
        return list(dict.fromkeys(name for place in self.namespaces for name in self.part(place).covers))


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
