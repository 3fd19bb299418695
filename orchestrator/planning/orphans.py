"""Namespaces that left a source's selection and still hold its policies: who they are, and a plan that removes them.

Whoever may relabel a namespace must not be able to shed its policies: a removal is of high risk whatever it does, and
waits for people before its first wave.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from orchestrator.context import Context
from orchestrator.planning.forecast import Forecast
from orchestrator.policy.impact.risk import KINDS, Risk
from orchestrator.ports import Kind
from orchestrator.rollout.order.plan import NamespacePlan, ObjectChange, Plan
from orchestrator.rollout.order.waves import arrange
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import SOURCE_LABEL, Manifest
from orchestrator.rollout.resources.places import place
from orchestrator.rollout.resources.resource import Source
from orchestrator.sources.selection import Selection, selection, system
from orchestrator.wording import few, many

MOST_NAMED = 8
GATE = "orphans"


@dataclass(frozen=True)
class Orphans:
    """The source's objects by namespace, of namespaces that it does not select."""

    held: Mapping[str, list[Manifest]]

    @property
    def text(self) -> str:
        """For people; bounded."""
        named = [f"{n} ({many(len(o), 'policy')})" for n, o in self.held.items()]
        return few(named, MOST_NAMED, last=", and")


def orphans(ctx: Context, source: Source, chosen: Selection | None = None) -> Orphans:
    """Namespaces that are being deleted take their policies with them, and are none."""
    others = (chosen or selection(ctx, source)).others
    found: dict[str, list[Manifest]] = {}
    for kind in source.spec.kinds:
        label = f"{SOURCE_LABEL}={source.name}"
        for obj in ctx.cluster.list(Kind(kind.api_version, kind.kind), labels=label):
            name = place(obj)
            if name in others and not others[name]["metadata"].get("deletionTimestamp"):
                found.setdefault(name, []).append(obj)
    return Orphans(dict(sorted(found.items())))


def removable(ctx: Context, found: Orphans) -> frozenset[str]:
    """System namespaces are written to by name only, and one that left is not named any more."""
    return frozenset(n for n in found.held if not system(ctx, n))


def removal(ctx: Context, source: Source, revision: str, only: Collection[str]) -> Plan:
    """Every object of the source goes from these namespaces, as far as they are still not selected."""
    chosen = selection(ctx, source)
    found = orphans(ctx, source, chosen)
    names = sorted(removable(ctx, found) & set(only))
    plans = {n: _emptied(n, chosen.others[n], found.held[n]) for n in names}
    labels = {n: dict(chosen.others[n]["metadata"].get("labels") or {}) for n in names}
    waves = tuple(arrange(labels, source.spec.strategy))
    return Plan(source.name, revision, waves, plans, selected=tuple(sorted(chosen.namespaces)))


def _emptied(name: str, namespace: Manifest, held: list[Manifest]) -> NamespacePlan:
    gone = [ObjectChange(objects.bare(obj), None) for _, obj in sorted(objects.by_key(held).items())]
    return NamespacePlan(name, str(namespace["metadata"].get("uid", "")), tuple(gone))


def gated(strategy: m.Strategy) -> m.Strategy:
    """Every gate of the strategy stands before the first wave, whatever it asks for; one for one person where none does."""
    early = {"wave": 0, "min_risk": "none", "risks": []}
    gates = [gate.model_copy(update=early) for gate in strategy.gates] or [m.Gate(wave=0, name=GATE)]
    return strategy.model_copy(update={"gates": gates})


def feared(expected: Forecast, plan: Plan) -> Forecast:
    """The forecast with the risk that a removal always has."""
    names = ", ".join([*plan.namespaces][:MOST_NAMED])
    why = f"policies are removed from namespaces that left the source's selection: {names}"
    reasons = tuple(r for r in expected.risk.reasons if r != "no connection changes")
    return replace(expected, risk=Risk("high", (why, *reasons), KINDS))


def returned(ctx: Context, source: Source, names: Collection[str]) -> list[str]:
    """Those that the source selects again."""
    return sorted(set(names) & selection(ctx, source).namespaces.keys())
