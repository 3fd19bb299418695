"""Calico policies of one tier and one order, of which the names decide which counts first, and that disagree."""

import math
from collections.abc import Iterator
from itertools import combinations, groupby

from orchestrator.policy.evaluate.calico.calico_order import CalicoOrder, Selecting
from orchestrator.policy.evaluate.calico.calico_tiers import Entry
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.ruling import decided
from orchestrator.policy.files.doubles import bare, title
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.clashes import Budget, clashing, distinct, named, outside
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.pod import End, Pod, one_pod
from orchestrator.policy.workloads.fleet import Fleet

_READING = Reading()


def order_ties(fleet: Fleet) -> Iterator[Finding]:
    """Once a pair of policies and direction: where the one or the other first makes a difference to a workload."""
    order = fleet.network().order
    if not isinstance(order, CalicoOrder):
        return
    pods = distinct(fleet)
    ends = [*pods, *outside(fleet)]
    told: set[tuple[str, str, Direction]] = set()
    budget = Budget()
    for pod, side in ((pod, side) for pod in pods for side in Direction):
        for selecting, one, other in _tied(order, pod, side):
            one, other = sorted((one, other), key=lambda entry: entry.title)
            pair = (one.title, other.title, side)
            if pair in told:
                continue
            for peer in budget.peers(one.obj, other.obj, side, ends):
                src, dst = side.ends(pod, peer)
                mask = _differing(order, selecting, (one, other), side, src, dst)
                if mask:
                    told.add(pair)
                    yield _finding(fleet, selecting, one, other, f"{named(src)} to {named(dst)}", mask)
                    break
    yield from budget.unasked(fleet, "NPC032", told)


def _tied(order: CalicoOrder, pod: Pod, side: Direction) -> Iterator[tuple[Selecting, Entry, Entry]]:
    """Two policies of one order that select a pod, and have rules of different actions."""
    for selecting in order.selecting(pod, side):
        for _, group in groupby(selecting.by_name, key=lambda e: e.order):
            for one, other in combinations(group, 2):
                if (one.policy or other.policy) and len({*_actions(one, side), *_actions(other, side)}) > 1:
                    yield selecting, one, other


def _actions(entry: Entry, side: Direction) -> Iterator[str]:
    if entry.policy is None:
        yield from ("Allow" for _ in side.rules(entry.obj))
        return
    yield from (rule.action for rule in entry.policy.rules[side] if rule.action != "Log")


def _differing(
    order: CalicoOrder, selecting: Selecting, pair: tuple[Entry, Entry], side: Direction, src: End, dst: End
) -> int:
    """The ports on which it matters which of two policies comes first."""
    ends = order.seen(src, dst, _READING)
    if one_pod(src, dst) or ends.free:
        return port_sets.NONE
    clash = clashing(*(order.of_entry(entry, side, ends, _READING) for entry in pair))
    if not clash:
        return clash
    end, _ = side.ends(*ends.both)
    assert isinstance(end, Pod)
    every = order.selecting(end, side)
    ways = ([s.led_by(first) if s is selecting else s for s in every] for first in pair)
    one, other = (decided(order.asked(way, side, ends, _READING), clash)[0] for way in ways)
    return one ^ other


def _finding(fleet: Fleet, selecting: Selecting, one: Entry, other: Entry, way: str, mask: int) -> Finding:
    mine, theirs = (one, other) if one.policy else (other, one)
    same = "both have none" if math.isinf(mine.order) else f"that of both is {mine.order:g}"
    ports = port_sets.text(mask)
    text = (
        f"spec.order does not say whether it or {bare(title(theirs.obj))} comes first in the tier {selecting.tier.name} ({same}), and "
        f"they disagree on {way}{f' ({ports})' if ports not in ('all', 'none') else ''}"
    )
    return of_policy(fleet, "NPC032", mine.obj, text)
