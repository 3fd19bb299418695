"""Which waves a change comes with, and for whose pods: some pods of the canary first, what is cluster-wide with its namespaces.

The namespaces of a wave come to the new policies of the whole cluster with it, beside what else changes there. Pods in
namespaces that the source does not select, and what is no pod, belong to no such wave: they follow in a last one of their own.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.adapters.kube.canary_deployments import followed
from orchestrator.adapters.kube.cni import detected, settled
from orchestrator.adapters.kube.workloads import documents
from orchestrator.context import Context
from orchestrator.errors import Forbidden
from orchestrator.planning.afterwards import afterwards
from orchestrator.planning.expand import around, expanded_first
from orchestrator.planning.forecast import unworkable
from orchestrator.planning.some_pods import SomePods, unnarrowable
from orchestrator.planning.touched_pods import TouchedPods
from orchestrator.policy.narrow.scopes import Scope, means_beside_pods
from orchestrator.policy.network.boundaries import by_end
from orchestrator.policy.workloads.comparable import asked_alike
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.rollout.following import CanaryDeployment
from orchestrator.rollout.order.plan import NamespacePlan, Plan
from orchestrator.rollout.order.waves import Part, PlannedWave, arrange
from orchestrator.rollout.resources.model import CanaryPods, Followed, Strategy
from orchestrator.rollout.resources.places import CLUSTER, staged, whole
from orchestrator.wording import few

REST = "cluster-wide: what is left"
MOST_NAMED = 5


@dataclass(frozen=True)
class Arranged:
    """The waves; what does not come as the strategy has it, in words; and why what is cluster-wide changes at once, where it does."""

    waves: Sequence[PlannedWave]
    late: tuple[str, ...] = ()
    at_once: str = ""
    followed: Followed = field(default_factory=Followed)


def by_parts(
    ctx: Context, plan: Plan, labels: Mapping[str, Mapping[str, str]], strategy: Strategy
) -> Arranged:
    """The waves of a plan that has none yet; `labels` are those of the namespaces that the source selects. Raises BadInput."""
    by_waves = CLUSTER in plan.namespaces and strategy.cluster_wide == "waves"
    canary = followed(ctx.cluster, strategy.follow)
    expands = strategy.boundaries == "expand" or canary is not None
    some = strategy.canary_pods != CanaryPods()
    if not plan.namespaces or not (by_waves or expands or some):
        return Arranged(_arranged(plan.namespaces, labels, strategy))
    scene = _Scene(ctx, plan, strategy)
    found = scene.with_cluster(labels) if by_waves else Arranged(_arranged(plan.namespaces, labels, strategy))
    waves, told = scene.with_both(found.waves, canary) if expands else (found.waves, ())
    if waves is found.waves:
        waves, more = scene.with_pods(waves)
        told = (*told, *more)
    numbered = replace(plan, waves=tuple(_numbered(waves)))
    return replace(found, waves=scene.in_order(numbered), late=(*found.late, *told), followed=_stands(canary))


def _stands(canary: CanaryDeployment | None) -> Followed:
    """What is frozen of a canary deployment, to know what is new of it."""
    if canary is None:
        return Followed()
    return Followed(promoted=canary.promoted, failed=canary.version if canary.phase == "failed" else "")


class _Scene:
    """The cluster as it stands, and a plan."""

    def __init__(self, ctx: Context, plan: Plan, strategy: Strategy) -> None:
        self._ctx, self._plan, self._strategy = ctx, plan, strategy
        try:
            self._standing = list(documents(ctx.cluster))
        except Forbidden:
            self._standing = []
        self._pods = TouchedPods(self._standing)

    def with_cluster(self, labels: Mapping[str, Mapping[str, str]]) -> Arranged:
        """The waves of all namespaces that the changed policies of the whole cluster are about, and those with them."""
        plan, item, known = self._plan, self._plan.namespaces[CLUSTER], frozenset(labels)
        if why := unnarrowable(item, Scope(frozenset({"some"}))):
            said = f"what is cluster-wide changes at once, in the last wave, once somebody has approved that: {why}"
            return Arranged(_arranged(plan.namespaces, labels, self._strategy), (said,), why)
        concerned = self._pods.namespaces([*item.before, *item.after]) if self._standing else known
        inside, outside = sorted(concerned & known), sorted(concerned - known)
        told = _told(item, outside)
        spaces = [n for n in dict.fromkeys([*plan.namespaces, *inside]) if n != CLUSTER]
        own = [_own(wave, plan.namespaces, inside) for wave in _arranged(spaces, labels, self._strategy)]
        if told or not inside:
            own.append(PlannedWave((CLUSTER,), REST, {CLUSTER: Part(tuple(outside))} if inside else {}))
        return Arranged(own, tuple(f"in the last wave: {text}" for text in told))

    def with_pods(self, waves: Sequence[PlannedWave]) -> tuple[Sequence[PlannedWave], tuple[str, ...]]:
        """With some pods of the canary in a wave before it, and what cannot be so, in words. Raises BadInput."""
        return SomePods(self._ctx.cluster, self._plan, self._strategy, self._pods).before(waves)

    def with_both(
        self, waves: Sequence[PlannedWave], canary: CanaryDeployment | None
    ) -> tuple[Sequence[PlannedWave], tuple[str, ...]]:
        """In two phases, where a connection would break between two waves, or a canary deployment comes in between."""
        plan = replace(self._plan, waves=tuple(waves))
        if canary is not None:
            return around(canary, plan)
        return expanded_first(self._ctx, plan, self._standing, self._strategy)

    def in_order(self, plan: Plan) -> Sequence[PlannedWave]:
        """The waves with what is for the whole cluster before or after the namespaces of its wave: where less shows meanwhile."""
        first = replace(plan, waves=tuple(_wide_first(wave) for wave in plan.waves))
        if not first.cluster_first or not self._standing:
            return plan.waves
        cni = detected(self._ctx.cluster, self._strategy.cni)
        wide = {CLUSTER: plan.namespaces[CLUSTER]}
        spaced = {name: item for name, item in plan.namespaces.items() if name != CLUSTER}
        afters = (list(afterwards(self._standing, some, {})) for some in (spaced, wide, plan.namespaces))
        states = asked_alike(*(fleet(found, live=True).under(cni) for found in (self._standing, *afters)))
        old, *half, new = states
        if unworkable(old, new, plan.namespaces):
            return plan.waves
        reading = settled(cni)
        try:
            shown = [len(by_end((old, mid, new), plan.wave_of, reading)) for mid in half]
        except OverflowError:
            return plan.waves
        return first.waves if shown[1] < shown[0] else plan.waves


def _arranged(
    names: Collection[str], labels: Mapping[str, Mapping[str, str]], strategy: Strategy
) -> list[PlannedWave]:
    return arrange({n: labels.get(n, {}) for n in names}, strategy, known=frozenset(labels))


def _own(wave: PlannedWave, changed: Collection[str], inside: Collection[str]) -> PlannedWave:
    """A wave with the policies of the whole cluster for those of its namespaces that they are about."""
    covers = tuple(n for n in wave.namespaces if n in inside)
    places = tuple(n for n in wave.namespaces if n in changed)
    if not covers:
        return PlannedWave(places, wave.why)
    return PlannedWave((*places, CLUSTER), wave.why, {CLUSTER: Part(covers)})


def _numbered(waves: Sequence[PlannedWave]) -> Iterator[PlannedWave]:
    """With the name that each place has in each of them: its own in the last."""
    last = {place: number for number, wave in enumerate(waves) for place in wave.namespaces}
    seen: Counter[str] = Counter()
    for number, wave in enumerate(waves):
        seen.update(wave.namespaces)
        names = {p: staged(p, seen[p]) if number < last[p] else p for p in wave.namespaces}
        parts = {names[place]: part for place, part in wave.parts.items()}
        yield replace(wave, namespaces=tuple(names.values()), parts=parts)


def _wide_first(wave: PlannedWave) -> PlannedWave:
    ordered = sorted(wave.namespaces, key=lambda place: whole(place) != CLUSTER)
    return replace(wave, namespaces=tuple(ordered))


def _told(item: NamespacePlan, outside: Sequence[str]) -> tuple[str, ...]:
    """What belongs to no wave of the source's namespaces."""
    beside = [
        f"{obj['kind']} {obj['metadata']['name']} means {what} as well, which belong to no namespace"
        for obj in (*item.before, *item.after)
        if (what := means_beside_pods(obj))
    ]
    verb = "is" if len(outside) == 1 else "are"
    others = [f"pods of {few(outside, MOST_NAMED)}, which {verb} not selected"] if outside else []
    return tuple(dict.fromkeys([*others, *beside]))
