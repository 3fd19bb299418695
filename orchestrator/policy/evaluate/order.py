"""What a CNI makes of the policies of all APIs: who comes before whom, and what is left where none of them speaks."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.pair_index import Most
from orchestrator.policy.evaluate.ruling import Ruling
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, Pod


class Ends(NamedTuple):
    """Both ends as policies see them; `own` is one pod, or a pod and its node, `free` what no policy judges at all."""

    src: End
    dst: End
    own: bool = False
    free: bool = False

    @property
    def both(self) -> tuple[End, End]:
        return self.src, self.dst


class Order(Protocol):
    """Policies of any APIs in the order in which one CNI asks them."""

    def questions(self, src: End, dst: End) -> set[str]:
        """What the APIs leave open and can bear on two ends: fields of a Reading."""
        ...

    def seen(self, src: End, dst: End, reading: Reading) -> Ends:
        """Two ends as the policies see them."""
        ...

    def tiers(self, side: Direction, ends: Ends, reading: Reading) -> Iterator[Iterable[Ruling]]:
        """What is asked about a pod, one tier after another: in each the first ruling that has a port decides on it.

        What is passed, or decided by none, goes to the next tier; what no tier decides is denied.
        """
        ...

    def isolates(self, pod: Pod, side: Direction) -> bool:
        """Whether what no rule names is denied, one way of a pod."""
        ...

    def most(self, pods: Sequence[Pod], reading: Reading) -> Most:
        """For each of some pods those that it may talk to at most, either way."""
        ...

    def networks(self) -> Iterable[Networks]:
        """All sets of addresses that rules tell apart from others."""
        ...

    def networks_of(self, pod: Pod, side: Direction, by_rule: bool = False) -> Iterable[Networks]:
        """Those that bear on a pod, one way; the same objects whenever it is asked.

        Rules that say the same may share one, unless it is asked by rule.
        """
        ...

    def told_alike(self, pod: Pod, side: Direction) -> Hashable:
        """What pods share of whom policies say the same about each address outside, one way.

        Their `networks_of` have to be the same, too, and what pods are beside their labels.
        """
        ...

    def lone_addresses(self) -> Collection[str]:
        """Addresses that are like no other, whatever blocks they are in, beside those of nodes."""
        ...
