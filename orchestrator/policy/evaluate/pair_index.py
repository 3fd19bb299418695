"""Which pairs of pods NetworkPolicies may let talk at all, by label index and bitsets, ports left aside.

It only narrows down: the evaluator decides each pair that it names. Bit n stands for the n-th pod.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate.meaning import inside, means
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import requirements

Selector = Mapping[str, Any] | None
_WORD = (1 << 60) - 1  # bits that are looked at as one small number


class PodIndex:
    """Pods by their labels and by those of their namespaces."""

    def __init__(
        self, pods: Sequence[Pod], namespaces: Mapping[str, Mapping[str, str]], blocks: bool = False
    ) -> None:
        self._addresses = [
            (n, a) for n, p in enumerate(pods if blocks else ()) for a in (p.ip, *p.other_ips) if a
        ]
        self._blocks: dict[str, int] = {}
        self.all = (1 << len(pods)) - 1
        self._pods: dict[tuple[str, str], int] = {}
        self._spaces: dict[tuple[str, str], int] = {}
        self._in: dict[str, int] = {}
        self._known: dict[tuple[str, str], int] = {}
        for number, pod in enumerate(pods):
            bit = 1 << number
            self._in[pod.namespace] = self._in.get(pod.namespace, 0) | bit
            for item in pod.labels.items():
                self._pods[item] = self._pods.get(item, 0) | bit
        for name, bits in self._in.items():
            for item in namespaces.get(name, {}).items():
                self._spaces[item] = self._spaces.get(item, 0) | bits
        self._keys: dict[str, dict[str, int]] = {}
        for side, index in (("pods", self._pods), ("spaces", self._spaces)):
            keys: dict[str, int] = {}
            for (key, _), bits in index.items():
                keys[key] = keys.get(key, 0) | bits
            self._keys[side] = keys

    def within(self, namespace: str) -> int:
        """The pods of a namespace."""
        return self._in.get(namespace, 0)

    def meant(self, peer: Mapping[str, Any], namespace: str) -> int:
        """The pods that a peer means; of an ipBlock none, unless blocks cover pods."""
        if peer.get("ipBlock") is not None:
            return self._inside(peer["ipBlock"])
        return means(
            peer,
            self.within(namespace),
            lambda selector: self.select("spaces", selector),
            lambda selector: self.select("pods", selector),
        )

    def _inside(self, block: Mapping[str, Any]) -> int:
        key = json.dumps(block, sort_keys=True)
        if key not in self._blocks:
            numbers = {n for n, address in self._addresses if inside(block, address)}
            self._blocks[key] = sum(1 << n for n in numbers)
        return self._blocks[key]

    def select(self, side: str, selector: Selector) -> int:
        """The pods that a selector matches by their own labels (`pods`) or their namespace's (`spaces`)."""
        key = (side, json.dumps(selector, sort_keys=True))
        if key not in self._known:
            self._known[key] = self._select(side, selector or {})
        return self._known[key]

    def _select(self, side: str, selector: Mapping[str, Any]) -> int:
        index, keys, found = (self._pods if side == "pods" else self._spaces), self._keys[side], self.all
        for key, operator, values in requirements(selector):
            if operator in ("In", "NotIn"):
                bits = 0
                for value in values:
                    bits |= index.get((key, value), 0)
            else:
                bits = keys.get(key, 0)
            found &= bits if operator in ("In", "Exists") else ~bits
        return found


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    base = 0
    while mask:
        base += (skipped := (mask & -mask).bit_length() - 1)
        mask >>= skipped
        word = mask & _WORD
        while word:
            low = word & -word
            yield base + low.bit_length() - 1
            word ^= low
        base += _WORD.bit_length()
        mask >>= _WORD.bit_length()


def candidates(
    pods: Sequence[Pod],
    namespaces: Mapping[str, Mapping[str, str]],
    *states: Sequence[Mapping[str, Any]],
    blocks: bool = False,
) -> Iterator[tuple[int, int]]:
    """Numbers of source and destination of every pair that some rules of both ends name.

    With several states of the policies, each end may be in any of them. `blocks`: ipBlocks cover pods, too.
    """
    index = PodIndex(pods, namespaces, blocks)
    into = _any(index, len(pods), [_peers(index, s, INGRESS) for s in states])
    out = _any(index, len(pods), [_peers(index, s, EGRESS) for s in states])
    anywhere, reverse = index.all, [0] * len(pods)
    for number, peers in enumerate(out):
        if peers != index.all:
            anywhere &= ~(1 << number)
            for other in bits(peers):
                reverse[other] |= 1 << number
    for dst in range(len(pods)):
        for src in bits(into[dst] & (anywhere | reverse[dst])):
            yield src, dst


def _any(index: PodIndex, size: int, states: Sequence[Mapping[int, int]]) -> list[int]:
    """For each pod, those that it may talk to in any of the states; all where one does not isolate it."""
    found = [0] * size
    for named in states:
        for number in range(size):
            found[number] |= named.get(number, index.all)
    return found


def _peers(index: PodIndex, policies: Sequence[Mapping[str, Any]], side: Direction) -> dict[int, int]:
    """For each pod that is isolated in a direction, the pods that any of its rules names."""
    found: dict[int, int] = {}
    for policy in policies:
        if not side.in_force(policy):
            continue
        space, named = policy["metadata"]["namespace"], 0
        for rule in side.rules(policy):
            given = side.peers_of(rule)
            named |= index.all if not given else 0
            for peer in given:
                named |= index.meant(peer, space)
        for number in bits(index.within(space) & index.select("pods", policy["spec"].get("podSelector"))):
            found[number] = found.get(number, 0) | named
    return found
