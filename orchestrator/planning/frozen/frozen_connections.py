"""The connections that a plan changes, as they are frozen with it: of every wave the worst first, and how many there are."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest

from orchestrator.policy.impact.impact import Impact
from orchestrator.policy.impact.risk import KINDS, LEVELS, Level, RiskKind, RiskRules
from orchestrator.policy.impact.weighing import of_row
from orchestrator.policy.network.connection_diff import Change, Moved
from orchestrator.policy.network.outside import Row, gathered
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built, most
from orchestrator.rollout.resources.places import CLUSTER

MOST_FROZEN = most(m.PolicyRolloutSpec, "edges")
MOST_BECAUSE = 4
MOST_SAID = 400  # characters of one rule
MOST_PORTS = 1000
WIDE = re.compile(rf"\b({'|'.join(k.kind for k in POLICY_KINDS if not k.namespaced)})[ /]")


@dataclass(frozen=True)
class Edges:
    """`shown` in the order in which people read them; `counts` says by wave how many there are in all."""

    shown: Sequence[m.WaveEdge] = ()
    counts: Mapping[int, int] = field(default_factory=dict)


def worst(
    changes: Iterable[Change],
    effect: Impact,
    rules: RiskRules,
    waves: Mapping[str, int],
    limit: int = MOST_FROZEN,
) -> Edges:
    """At most `limit` of them; every wave has its share, so that none is left out for the sake of another."""
    by_weight = _Weight(effect, rules)
    rows = sorted(gathered(changes), key=by_weight.of)
    by_wave: dict[int, list[Row]] = {}
    for row in rows:
        by_wave.setdefault(wave_of(row, waves), []).append(row)
    turns = zip_longest(*([(n, row) for row in found] for n, found in sorted(by_wave.items())))
    chosen = list(islice((pair for turn in turns for pair in turn if pair is not None), limit))
    shown = [_edge_of(row, number) for number, row in sorted(chosen, key=lambda pair: pair[0])]
    return Edges(shown, Counter({number: len(found) for number, found in by_wave.items()}))


class _Weight:
    """Rows in the order in which `weighing` has what a change does: the highest risk first, then by its kind."""

    def __init__(self, effect: Impact, rules: RiskRules) -> None:
        self._rules, self._exposed = rules, frozenset(effect.exposed)
        pairs: tuple[tuple[RiskKind, Level, tuple[str, ...]], ...] = (
            ("ownPath", rules.own_path, effect.own),
            ("scrape", rules.scrape, effect.scrapes),
        )
        self._named = {name: (kind, level) for kind, level, names in pairs for name in names}

    def of(self, row: Row) -> tuple[int, int]:
        return min((-LEVELS.index(level), KINDS.index(kind)) for kind, level in self._risks(row))

    def _risks(self, row: Row) -> Iterator[tuple[RiskKind, Level]]:
        yield from ((item.kind, item.level) for item in of_row(row, self._exposed, self._rules))
        if self._named and (known := self._named.get(f"{row.src} to {row.dst}")):
            yield known


def wave_of(row: Row, waves: Mapping[str, int]) -> int:
    """The wave in which it changes: with the first end that takes it away, with the last that lets it pass.

    An end counts where one of its rules decides; where no rule is named, both do. What a policy of the whole cluster
    decides changes with the last wave, as does what no namespace of the change has an end of. `waves` are those of namespaces, and
    of workloads that have one of their own.
    """
    if CLUSTER in waves and any(WIDE.search(reason) for reason in row.because):
        return waves[CLUSTER]
    told = [any(f"{side}: " in reason for reason in row.because) for side in (EGRESS, INGRESS)]
    decides = told if any(told) else [True, True]
    ends = [waves.get(end, waves.get(space(end))) for end in (row.src, row.dst)]
    found = [wave for wave, mine in zip(ends, decides, strict=True) if mine and wave is not None]
    found = found or [wave for wave in ends if wave is not None]
    return (min(found) if row.lost else max(found)) if found else waves.get(CLUSTER, 0)


def space(end: str) -> str:
    """The namespace of `namespace/name[Kind]`."""
    return end.partition("/")[0]


def edge(source: str, destination: str, moved: Moved, because: Iterable[str], wave: int = 0) -> m.WaveEdge:
    """A connection within the bounds of what is stored."""
    return built(
        m.WaveEdge,
        source=source,
        destination=destination,
        before=port_sets.text(moved.before)[:MOST_PORTS],
        after=port_sets.text(moved.after)[:MOST_PORTS],
        because=[b[:MOST_SAID] for b in because if b][:MOST_BECAUSE],
        change=moved.said,
        wave=wave,
    )


def _edge_of(row: Row, wave: int) -> m.WaveEdge:
    return edge(row.src, row.dst, row, (*row.because, row.note), wave)
