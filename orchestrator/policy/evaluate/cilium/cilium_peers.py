"""The other ends that a rule of Cilium means, field by field.

Sources: Cilium 1.20, Documentation/security/policy/layer3.rst, pkg/policy/api/ingress.go and egress.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from orchestrator.policy.evaluate.cilium.cilium_agent import OVER_SELECTION, CiliumAgent
from orchestrator.policy.evaluate.cilium.cilium_crowd import Crowd
from orchestrator.policy.evaluate.cilium.cilium_identities import OF_PODS, Identity
from orchestrator.policy.evaluate.cilium.cilium_selectors import Endpoints, names_node, peer
from orchestrator.policy.evaluate.cilium.cilium_services import Referred, Resolved
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.tiers import Span
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.networks import Networks

Part = Mapping[str, Any]
NOBODY = Span(0, 0)


@dataclass(frozen=True)
class Asked:
    """Whom rules are asked about: an identity, under a reading, with the engine's bugs that decide."""

    identity: Identity
    reading: Reading
    bugs: frozenset[str] = frozenset()


class Peer(Protocol):
    """One item of a field of peers. `outward` says that it may mean others than pods."""

    @property
    def outward(self) -> bool: ...

    def means(self, asked: Asked) -> bool:
        """Whether it means an end."""
        ...

    def among(self, crowd: Crowd) -> Span:
        """As `means`, of all pods at once that have a network of their own."""
        ...


@dataclass(frozen=True)
class Peers:
    """Of one rule, each with the field that names it. Without any it means nobody, or `anybody`.

    `unresolved`: it names Services alone, none of which is there.
    """

    items: tuple[tuple[str, Peer], ...] = ()
    anybody: bool = False
    unresolved: bool = False
    kinds: frozenset[str] = field(default=frozenset())

    def met(self, asked: Asked) -> str | None:
        """The item that means an end, empty where there is one alone; None where none does."""
        if self.anybody:
            return ""
        named = self.networks.hold(asked.identity.address)
        items = ((name, one) for name, one in self.items if named or not isinstance(one, Blocks))
        found = next((name for name, one in items if one.means(asked)), None)
        return "" if found is not None and len(self.items) == 1 else found

    def names(self, entity: str) -> bool:
        """Whether it names an entity."""
        return Entity(entity) in (one for _, one in self.items)

    @property
    def negated(self) -> bool:
        """Whether any asks for nothing but the lack of labels."""
        return any(isinstance(one, Selected) and one.endpoints.negated for _, one in self.items)

    @property
    def outward(self) -> bool:
        """Whether it may mean others than pods."""
        return self.anybody or self.unresolved or any(one.outward for _, one in self.items)

    def among(self, crowd: Crowd) -> Span:
        """As `met`, of all pods at once that have a network of their own."""
        if self.anybody:
            return Span(crowd.everyone, crowd.everyone)
        most = surely = 0
        for _, one in self.items:
            found = one.among(crowd)
            most, surely = most | found.most, surely | found.surely
        return Span(most, surely)

    @cached_property
    def networks(self) -> Networks:
        """The addresses that its blocks name."""
        return Networks(blocks=self.blocks())

    @cached_property
    def networks_apart(self) -> Sequence[Networks]:
        """As `networks`, each block by itself."""
        return [Networks(blocks=[block]) for block in self.blocks()]

    def blocks(self) -> Iterator[Part]:
        """Those that it names by themselves, and those of Services."""
        for _, one in self.items:
            yield from one.found if isinstance(one, Blocks) else ()
            yield from one.resolved.blocks if isinstance(one, Services) else ()


@dataclass(frozen=True)
class Selected:
    """Endpoints by their labels."""

    endpoints: Endpoints

    @property
    def outward(self) -> bool:
        return self.endpoints.outward

    def means(self, asked: Asked) -> bool:
        return self.endpoints.means(asked.identity, OVER_SELECTION in asked.bugs)

    def among(self, crowd: Crowd) -> Span:
        return crowd.selected(self.endpoints)


@dataclass(frozen=True)
class Entity:
    """One of the kinds of ends that have names."""

    outward = True
    name: str

    def means(self, asked: Asked) -> bool:
        return self.name in asked.identity.entities

    def among(self, crowd: Crowd) -> Span:
        found = crowd.everyone if self.name in OF_PODS else 0
        return Span(found, found)


@dataclass(frozen=True)
class Blocks:
    """Addresses."""

    outward = True
    found: Sequence[Part]

    @cached_property
    def _networks(self) -> Networks:
        return Networks(blocks=self.found)

    def means(self, asked: Asked) -> bool:
        return self._networks.hold(asked.identity.address)

    def among(self, crowd: Crowd) -> Span:
        return crowd.covered(self._networks)


@dataclass(frozen=True)
class Nodes:
    """Other nodes by their labels."""

    outward = True
    selector: Part

    def means(self, asked: Asked) -> bool:
        return names_node(self.selector, asked.identity)

    def among(self, crowd: Crowd) -> Span:
        return NOBODY


@dataclass(frozen=True)
class Services:
    """What Services stand for."""

    outward = True
    resolved: Resolved

    def means(self, asked: Asked) -> bool:
        chosen = any(endpoints.means(asked.identity, False) for endpoints in self.resolved.endpoints)
        return chosen or self._listed.means(asked)

    def among(self, crowd: Crowd) -> Span:
        most, surely = self._listed.among(crowd)
        for endpoints in self.resolved.endpoints:
            found = endpoints.among(crowd.labels)
            most, surely = most | found, surely | found
        return Span(most, surely)

    @cached_property
    def _listed(self) -> Blocks:
        return Blocks(self.resolved.blocks)


@dataclass(frozen=True)
class Names:
    """Addresses outside that DNS gives for names."""

    outward = True

    def means(self, asked: Asked) -> bool:
        return asked.identity.outside and asked.reading.names_resolve

    def among(self, crowd: Crowd) -> Span:
        return NOBODY


@dataclass(frozen=True)
class Groups:
    """Addresses outside that a cloud has in its groups."""

    outward = True

    def means(self, asked: Asked) -> bool:
        return asked.identity.outside and asked.reading.in_groups

    def among(self, crowd: Crowd) -> Span:
        return NOBODY


_WORDS = ("Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes", "Groups")
ONLY_OUT = ("toServices", "toFQDNs")
# Empty, these are no condition beside ports; any other field that is empty means nobody, whatever the others say.
_OPEN = frozenset({"toServices", "toFQDNs", "toGroups", "fromGroups"})


_FIELDS = {
    INGRESS: tuple(f"from{word}" for word in _WORDS),
    EGRESS: (*(f"to{word}" for word in _WORDS), *ONLY_OUT),
}


def peer_fields(side: Direction) -> tuple[str, ...]:
    """The fields of a rule that name peers."""
    return _FIELDS[side]


def of_rule(rule: Part, side: Direction, namespace: str, agent: CiliumAgent, referred: Referred) -> Peers:
    """The peers of a rule of a policy of a namespace, or of the whole cluster where that is empty."""
    given = {name: rule[name] for name in _FIELDS[side] if name in rule and rule[name] is not None}
    kinds = frozenset(name for name, entries in given.items() if entries)
    if given.keys() - kinds - _OPEN:
        return Peers(kinds=kinds)
    items: list[tuple[str, Peer]] = []
    for name, entries in given.items():
        found = _KINDS[name.removeprefix("from").removeprefix("to")](entries, namespace, agent, referred)
        items += [(f"{name}[{at}]", one) for at, one in enumerate(found)]
    services = [one for _, one in items if isinstance(one, Services)]
    unresolved = bool(services) and len(services) == len(items) and not any(s.resolved for s in services)
    unresolved = unresolved or (given.keys() == {"toServices"} and not items)
    return Peers(tuple(items), not items and not unresolved, unresolved, kinds)


def _endpoints(entries: Iterable[Part], namespace: str, agent: CiliumAgent, _: Referred) -> list[Peer]:
    return [Selected(peer(entry, namespace, agent)) for entry in entries]


def _nodes(entries: Iterable[Part], *_: Any) -> list[Peer]:
    return [Nodes(entry) for entry in entries]


def _entities(entries: Iterable[str], *_: Any) -> list[Peer]:
    return [Entity(entry) for entry in entries]


def _blocks(entries: Iterable[str], *_: Any) -> list[Peer]:
    return [Blocks(({"cidr": entry},)) for entry in entries]


def _sets(entries: Iterable[Part], _: str, __: CiliumAgent, referred: Referred) -> list[Peer]:
    return [Blocks(referred.blocks(entry)) for entry in entries]


def _services(entries: Iterable[Part], _: str, __: CiliumAgent, referred: Referred) -> list[Peer]:
    return [Services(referred.services(entry)) for entry in entries]


def _names(entries: Iterable[Part], *_: Any) -> list[Peer]:
    return [Names() for _ in entries]


def _groups(entries: Iterable[Part], *_: Any) -> list[Peer]:
    return [Groups() for _ in entries]


_KINDS: Mapping[str, Any] = {
    "Endpoints": _endpoints,
    "Entities": _entities,
    "CIDR": _blocks,
    "CIDRSet": _sets,
    "Nodes": _nodes,
    "Groups": _groups,
    "Services": _services,
    "FQDNs": _names,
}
