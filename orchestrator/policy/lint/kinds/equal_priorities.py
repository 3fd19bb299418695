"""Cluster-wide policies of one tier and priority that disagree: the API does not say which counts first."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from orchestrator.policy.evaluate.cluster_policies import compiled
from orchestrator.policy.evaluate.cni_profiles import PROFILES
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.evaluate.tiers import Around, TierPolicy, in_tiers, rulings, selects
from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.clashes import Budget, clashing, distinct, named, outside
from orchestrator.policy.lint.kinds.of_api import of_cilium
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End, Pod, one_pod
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import few


def equal_priorities(fleet: Fleet) -> Iterator[Finding]:
    """Once a pair and direction: where it makes a difference to a workload whether those that allow or deny count first.

    Cilium says an order: there the denial counts first.
    """
    cluster = [compiled(p) for p in fleet.of_cluster]
    groups = [group for tier in in_tiers(cluster).values() for group in tier if len(group) > 1]
    cni = PROFILES[fleet.cni]
    if not groups or of_cilium(fleet) or cni.answers.get("cilium"):
        return
    if cni.most_priority is not None:
        yield from (_asked_apart(fleet, cni.said, group) for group in groups)
        return
    nets = [fleet.network(settled) for settled in ({"ties_allow": True}, {"ties_deny": True})]
    pods, budget = distinct(fleet), Budget()
    ends = [*pods, *outside(fleet)]
    for one, other, side in _pairs(groups):
        mine = [p for p in pods if all(selects(x.subject, p, fleet.namespaces) for x in (one, other))]
        ways = ((pod, peer) for pod in mine for peer in budget.peers(one.obj, other.obj, side, ends))
        for pod, peer in ways:
            if mask := _differing(fleet, nets, (one, other), side, pod, peer):
                src, dst = side.ends(named(pod), named(peer))
                yield _finding(fleet, one, other, f"{src} to {dst}", mask)
                break
    yield from budget.unasked(fleet, "NPC039")


def _pairs(groups: Sequence[Sequence[TierPolicy]]) -> Iterator[tuple[TierPolicy, TierPolicy, Direction]]:
    for group in groups:
        for one, other in combinations(group, 2):
            for side in Direction:
                if len({rule.action for policy in (one, other) for rule in policy.rules[side]}) > 1:
                    yield one, other, side


def _differing(
    fleet: Fleet,
    nets: Sequence[Network],
    pair: tuple[TierPolicy, TierPolicy],
    side: Direction,
    pod: Pod,
    peer: End,
) -> int:
    """The ports on which it matters which of two policies comes first."""
    if one_pod(pod, peer):
        return port_sets.NONE
    src, dst = side.ends(pod, peer)
    around = Around(fleet.namespaces, fleet.nodes or None)
    clash = clashing(*(rulings(policy, side, pod, peer, dst, around) for policy in pair))
    if not clash:
        return clash
    one, other = (net.passing(side, src, dst) for net in nets)
    return (one ^ other) & clash


def _asked_apart(fleet: Fleet, said: str, group: Sequence[TierPolicy]) -> Finding:
    """Of all that share a priority, where the CNI wants each to have its own, whether they disagree or not."""
    others = few([bare(title(p.obj)) for p in group[:-1]], 3)
    text = f"spec.priority is that of {others}, too: {said} wants one for each, and does not say which comes first"
    return of_policy(fleet, "NPC039", group[-1].obj, text)


def _finding(fleet: Fleet, one: TierPolicy, other: TierPolicy, way: str, mask: int) -> Finding:
    ports = port_sets.text(mask)
    shown = f" ({ports})" if ports not in ("all", "none") else ""
    text = f"spec.priority is that of {bare(title(other.obj))}, too, and they disagree on {way}{shown}"
    return of_policy(fleet, "NPC039", one.obj, text)
