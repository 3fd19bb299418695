"""Pods as bits of integers: which have a label, stand in a namespace, or are meant by a peer. Bit n stands for the n-th pod."""

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from orchestrator.policy.evaluate.meaning import means
from orchestrator.policy.objects.label_index import LabelIndex
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import Pod
from orchestrator.policy.objects.selector import requirements

Part = Mapping[str, Any]
_WORD = (1 << 60) - 1  # bits that are looked at as one small number


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


class PodIndex:
    """Pods by their labels, by those of their namespaces, and by their addresses."""

    def __init__(self, pods: Sequence[Pod], namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self._given = pods
        self.everyone = (1 << len(pods)) - 1
        self._within: dict[str, int] = {}
        self.hosts = 0  # those in their node's network
        for number, pod in enumerate(pods):
            bit = 1 << number
            self._within[pod.namespace] = self._within.get(pod.namespace, 0) | bit
            self.hosts |= bit if pod.host_network else 0
        self.pods = LabelIndex(((1 << n, p.labels) for n, p in enumerate(pods)), self.everyone)
        self.spaces = LabelIndex(
            ((found, namespaces.get(name, {})) for name, found in self._within.items()), self.everyone
        )

    def __len__(self) -> int:
        return len(self._given)

    def within(self, namespace: str) -> int:
        """The pods of a namespace."""
        return self._within.get(namespace, 0)

    def meant(self, peer: Part, namespace: str) -> int:
        """The pods that a peer means by its selectors; none for an ipBlock."""
        if peer.get("ipBlock") is not None:
            return 0
        return means(
            peer,
            self.within(namespace),
            lambda selector: self.spaces.satisfying(requirements(selector)),
            lambda selector: self.pods.satisfying(requirements(selector)),
        )

    @cached_property
    def several(self) -> int:
        """Those with addresses of several families: what a rule says of one of them it may not say of the others."""
        return sum(1 << n for n, pod in enumerate(self._given) if pod.other_ips)

    def covered(self, networks: Networks) -> int:
        """Those that have an address in some networks."""
        found = 0
        for version, (known, numbers) in self._addresses.items():
            for first, last in networks.ranges(version):
                for number in numbers[bisect_left(known, first) : bisect_right(known, last)]:
                    found |= 1 << number
        return found

    @cached_property
    def _addresses(self) -> Mapping[int, tuple[Sequence[int], Sequence[int]]]:
        """By family, in order: the addresses, and the pod that has each."""
        found: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for number, pod in enumerate(self._given):
            for address in map(ipaddress.ip_address, filter(None, (pod.ip, *pod.other_ips))):
                found[address.version].append((int(address), number))
        for some in found.values():
            some.sort()
        return {v: ([a for a, _ in some], [n for _, n in some]) for v, some in found.items()}
