"""Which pairs of pods policies may let talk at all, ports left aside. It only narrows down: the evaluator decides each pair.

Rules are asked about all pods at once, as bits (see pod_index.py), in the order in which a CNI asks them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from orchestrator.policy.evaluate.pod_index import bits
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction

# By direction, for each pod: those that it may talk to at most.
Most = Mapping[Direction, Sequence[int]]


class Bound(NamedTuple):
    """What a rule says of pods as other ends: `most` are all that it may mean, `surely` those of which it decides every port.

    `action` is Accept, Deny or Pass.
    """

    action: str
    most: int
    surely: int = 0


def accepted(tiers: Iterable[Iterable[Bound]], everyone: int) -> int:
    """All pods that tiers may let talk, asked one after another as ruling.py does; what no tier decides is denied."""
    found, left = 0, everyone
    for tier in tiers:
        passed = 0
        for action, most, surely in tier:
            if action == "Accept":
                found |= left & most
            elif action == "Pass":
                passed |= left & most
            left &= ~surely
        left |= passed
        if not left:
            break
    return found


def candidates(states: Sequence[Most], size: int) -> Iterator[tuple[int, int]]:
    """Numbers of source and destination of every pair that both ends may allow, of `size` pods.

    With several states of the policies, each end may be in any of them.
    """
    into, out = (_any([state[side] for state in states]) for side in (INGRESS, EGRESS))
    everyone = anywhere = (1 << size) - 1
    reverse = [0] * size
    for number, peers in enumerate(out):
        if peers != everyone:
            anywhere &= ~(1 << number)
            for other in bits(peers):
                reverse[other] |= 1 << number
    for dst in range(size):
        for src in bits(into[dst] & (anywhere | reverse[dst])):
            yield src, dst


def _any(states: Sequence[Sequence[int]]) -> list[int]:
    found = list(states[0])
    for state in states[1:]:
        found = [one | other for one, other in zip(found, state, strict=True)]
    return found
