"""Which connections probes try: for a wave, and for a whole plan before anything is written, by one rule."""

from collections.abc import Mapping, Sequence

from orchestrator.policy.author.probing import Chosen, Sides, choose
from orchestrator.policy.network.connection_diff import Change
from orchestrator.policy.network.connections import Connection, table
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.rollout.resources import model as m

MOST_APART = 5  # namespaces in which a control that must pass is looked for
Table = Mapping[tuple[str, str], Connection]


def drawn(
    fleets: tuple[Fleet, Fleet],
    tables: tuple[Table, Table],
    moved: Sequence[Change],
    changed: frozenset[str],
    apart: Sequence[str],
    seed: str,
    plan: m.Analysis,
    settled: Mapping[str, bool] | None = None,
) -> Chosen:
    """`fleets` and their `tables` are before and after; `apart` are namespaces that the change does not touch."""
    elsewhere = table(fleets[1], settled, touched=frozenset(apart[:MOST_APART]), replicas=True)
    room = max(0, plan.probing.most_probes - len(plan.probes))
    chances = (plan.probing.broken_share, plan.probing.miss_chance, plan.probing.kept_share)
    return choose(Sides(*fleets, *tables, elsewhere, changed, settled or {}), moved, seed, room, *chances)
