"""Make before break: every wave first gets what the old and the new policies allow together, and the new alone once all have it.

Where a connection has other ports afterwards, one of its ends changes first, whatever the order of the waves, and between the two it
has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.adapters.kube.cni import detected, settled
from orchestrator.context import POLICY, Context
from orchestrator.errors import BadInput
from orchestrator.planning.afterwards import afterwards
from orchestrator.planning.forecast import unworkable
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.boundaries import Boundary, gaps
from orchestrator.policy.workloads.comparable import asked_alike
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.policy.writes.intersect import Inexact
from orchestrator.policy.writes.unions import both
from orchestrator.rollout.following import CanaryDeployment
from orchestrator.rollout.order.plan import NamespacePlan, Plan
from orchestrator.rollout.order.waves import Part, PlannedWave
from orchestrator.rollout.resources.model import Strategy
from orchestrator.rollout.resources.places import CLUSTER
from orchestrator.wording import many


def expanded_first(
    ctx: Context, plan: Plan, standing: Sequence[Document], strategy: Strategy
) -> tuple[Sequence[PlannedWave], tuple[str, ...]]:
    """The waves of a plan, twice where a connection would break between two of them; and what is to be known of that, in words."""
    waves = plan.waves
    spaced = {name: item for name, item in plan.namespaces.items() if name != CLUSTER}
    cni = detected(ctx.cluster, strategy.cni)
    states = (standing, list(afterwards(standing, spaced, {})))
    old, new = asked_alike(*(fleet(found, live=True).under(cni) for found in states))
    if len(waves) < 2 or unworkable(old, new, spaced):
        return waves, ()
    try:
        broken = gaps(old, new, plan.wave_of, settled(cni))
    except OverflowError as error:
        return waves, (f"whether a connection would break between two waves is not known: {error}",)
    if not broken:
        return waves, ()
    if why := not_both(spaced):
        return waves, (f"{broken[0].text}; the waves do not expand first: {why}",)
    return _twice(waves), (_cost(broken, len(waves), strategy),)


def around(canary: CanaryDeployment, plan: Plan) -> tuple[Sequence[PlannedWave], tuple[str, ...]]:
    """The waves of a plan twice: before the new version of a canary deployment is promoted, and afterwards. Raises BadInput."""
    spaced = {name: item for name, item in plan.namespaces.items() if name != CLUSTER}
    if not spaced:
        return plan.waves, ()
    if why := not_both(spaced):
        hint = "such a change cannot go with a canary deployment: take strategy.follow out, or commit it by itself"
        raise BadInput(f"the change cannot open first and close later: {why}", "strategy.follow", hint)
    said = f"what only the old version of {canary.name} needs stays open until it has promoted the new one"
    return _twice(plan.waves), (said,)


def _twice(waves: Sequence[PlannedWave]) -> list[PlannedWave]:
    """First what the old and the new policies allow together, then the new alone; what is cluster-wide has the second phase alone."""
    first = [
        PlannedWave(places, f"expand, {wave.why}", {p: Part((p,), both=True) for p in places}, number)
        for number, wave in enumerate(waves)
        if (places := tuple(p for p in wave.namespaces if p != CLUSTER))
    ]
    last = [replace(w, why=f"contract, {w.why}", step=number) for number, w in enumerate(waves)]
    return [*first, *last]


def not_both(namespaces: Mapping[str, NamespacePlan]) -> str:
    """Why no policies allow what old and new ones allow together; empty where some do."""
    for name, item in namespaces.items():
        wrong = next((o for o in (*item.before, *item.after) if not POLICY.means(o)), None)
        if wrong is not None:
            return f"{name} changes a {wrong['kind']}, which may deny, too"
        try:
            both(item.before, item.after, item.other_policies)
        except Inexact as why:
            return f"in {name} no policies say what old and new ones allow together: {why}"
    return ""


def _cost(broken: Sequence[Boundary], waves: int, strategy: Strategy) -> str:
    """What two phases take."""
    analysis = strategy.analysis
    seconds = waves * (strategy.settle_seconds + analysis.interval_seconds * analysis.count)
    more = f"{many(len(broken), 'connection')} would break between two waves, the first {broken[0].text}"
    return (
        f"{more}: every wave first gets what the old and the new policies allow together, and the new alone once all have it. That takes "
        f"{many(waves, 'more wave')}, about {-(-seconds // 60)} min longer without approvals, in which both are open"
    )
