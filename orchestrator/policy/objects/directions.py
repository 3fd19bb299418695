"""The two directions of a NetworkPolicy, and its rules in them. Source: NetworkPolicy API, spec.policyTypes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

Entry = Mapping[str, Any]
T = TypeVar("T")


class Direction(StrEnum):
    """By its word in policyTypes; `part` is the field of `spec` with its rules, `peers` that of a rule with the other ends."""

    part: str
    peers: str

    __hash__ = (
        str.__hash__
    )  # an Enum's own is a call in Python, and half of all mappings here are by direction

    INGRESS = "Ingress", "ingress", "from"
    EGRESS = "Egress", "egress", "to"

    def __new__(cls, word: str, part: str, peers: str) -> Direction:
        made = str.__new__(cls, word)
        made._value_, made.part, made.peers = word, part, peers
        return made

    @property
    def other(self) -> Direction:
        return EGRESS if self is INGRESS else INGRESS

    def in_force(self, policy: Entry) -> bool:
        """Whether a policy isolates for this direction: by its policyTypes, defaulted as the API does."""
        types = policy["spec"].get("policyTypes")
        return self in types if types else self is INGRESS or bool(policy["spec"].get("egress"))

    def rules(self, policy: Entry) -> Sequence[Entry]:
        """What a policy says of this direction, in force or not."""
        return policy["spec"].get(self.part) or ()

    def peers_of(self, rule: Entry) -> Sequence[Entry]:
        """The other ends that a rule means; none stands for all of them."""
        return rule.get(self.peers) or ()

    def ends(self, src: T, dst: T) -> tuple[T, T]:
        """The end that this direction's policies select, and the other one; or the reverse."""
        return (dst, src) if self is INGRESS else (src, dst)


INGRESS, EGRESS = Direction


@dataclass(frozen=True)
class Rule:
    """One rule where it stands: `ingress[0]`."""

    direction: Direction
    number: int
    body: Entry

    @property
    def peers(self) -> Sequence[Entry]:
        return self.direction.peers_of(self.body)

    @property
    def ports(self) -> Sequence[Entry]:
        return self.body.get("ports") or ()

    @property
    def place(self) -> str:
        return f"{self.direction.part}[{self.number}]"

    def peer_places(self) -> Iterator[tuple[str, Entry]]:
        """Its peers, each with where it stands: `ingress[0].from[1]`."""
        for at, peer in enumerate(self.peers):
            yield f"{self.place}.{self.direction.peers}[{at}]", peer


def directions(policy: Entry) -> list[Direction]:
    """Those that are in force."""
    return [side for side in Direction if side.in_force(policy)]


def rules(policy: Entry) -> Iterator[Rule]:
    """Those of the directions that are in force."""
    for direction in directions(policy):
        for number, rule in enumerate(direction.rules(policy)):
            yield Rule(direction, number, rule)
