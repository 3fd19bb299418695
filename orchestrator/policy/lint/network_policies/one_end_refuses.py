"""What one end allows and the other does not: rules whose peers refuse them, and workloads that reach no DNS."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.network.dns import Resolution
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, Direction, rules
from orchestrator.policy.objects.pod import Pod, one_pod
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import isolating, meant, selected

MOST_PAIRS = 10_000


def without_dns(fleet: Fleet) -> Iterator[Finding]:
    """Workloads that may ask no DNS server; where a CNI has policies of its own, kinds/ says it."""
    net = fleet.network()
    hidden = "kube-system" in fleet.obscured.unlabelled
    asked = fleet.workloads if not hidden and not fleet.of_cni else ()  # of those: kinds/
    resolution = Resolution(fleet, net)
    for workload in asked:
        if not net.isolated(workload.pod, EGRESS) or resolution.of(workload.pod):
            continue
        mine = isolating(fleet, workload.pod, EGRESS)
        yield of_policy(fleet, "NPC005", mine[0], f"{workload.name} cannot reach any DNS server")


def one_sided(fleet: Fleet) -> Iterator[Finding]:
    """Rules that name one workload's pods, of which the other end refuses all ports."""
    net = fleet.network()
    for policy in fleet.policies:
        for rule in rules(policy):
            mine = selected(fleet, policy)
            for place, peer in rule.peer_places():
                if not any(peer.get(k) for k in ("podSelector", "namespaceSelector")) or not mine:
                    continue
                theirs = meant(fleet, policy, peer)
                if (
                    not theirs
                    or len(mine) * len(theirs) > MOST_PAIRS
                    or _any_passes(net, rule.direction, mine, theirs, rule.ports)
                ):
                    continue
                outward = rule.direction is EGRESS
                code = "NPC009" if outward else "NPC010"
                who = "keeps it out" if outward else "may not connect out to it"
                text = f"{place} allows {theirs[0].namespace}/{theirs[0].name}, which {who} on all of these ports"
                yield of_policy(fleet, code, policy, text)


def _any_passes(
    net: Network,
    side: Direction,
    mine: Sequence[Pod],
    theirs: Sequence[Pod],
    entries: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether the other end lets any pair pass on any of a rule's ports; of two different pods."""
    pairs = [side.ends(one, two) for one in mine for two in theirs if not one_pod(one, two)]
    for src, dst in pairs:
        asked = port_sets.of_rule(entries, dst)
        if not asked or net.passing(side.other, src, dst) & asked:
            return True
    return not pairs
