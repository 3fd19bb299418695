"""What a policy of any API says, in one form: whom it selects, and by direction rules of peers and ports, each with its field."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import Requirement, build, conjunction

Wanted = tuple[Requirement, ...]  # of labels, all of which must hold; none is anything
Action = Literal["Allow", "Deny", "Pass"]
Refuse = Callable[[str, str], None]  # a field of the policy, and why the target cannot say it
MOST_PORT, MOST_TYPE = 65_535, 255
ANYWHERE = ("0.0.0.0/0", "::/0")
OF_KUBERNETES = 1000.0  # where Calico asks NetworkPolicies


@dataclass(frozen=True)
class Pods:
    """Pods by their labels; `spaces` are what their namespace's labels must be, None is the policy's own namespace."""

    wanted: Wanted = ()
    spaces: Wanted | None = None


@dataclass(frozen=True)
class Block:
    """Addresses."""

    cidr: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entity:
    """What Cilium has a name for: see cilium_words.py."""

    name: str


@dataclass(frozen=True)
class Hosts:
    """Hosts outside by their names; `*` stands for one label."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Nodes:
    """Nodes by their labels."""

    selector: Mapping[str, Any] = field(hash=False)


Peer = Pods | Block | Entity | Hosts | Nodes


@dataclass(frozen=True)
class Span:
    """Ports of a protocol, by number or by the name that the destination has for one; of ICMP the types are the ports.

    `code` narrows one type of ICMP.
    """

    protocol: str
    first: int = 1
    last: int = MOST_PORT
    name: str = ""
    code: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it is every port, or message, of its protocol."""
        return not self.name and (self.first, self.last) == every(self.protocol)


def every(protocol: str) -> tuple[int, int]:
    """The first and the last port of a protocol, or type of message."""
    return (0, MOST_TYPE) if protocol.startswith("ICMP") else (1, MOST_PORT)


@dataclass(frozen=True)
class Said:
    """One rule, and the field that holds it. `peers` and `ports` have fields of their own; None is everybody, and every port."""

    field: str
    action: Action
    peers: tuple[tuple[str, Peer], ...] | None
    ports: tuple[tuple[str, Span], ...] | None
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """A policy, or one spec of it.

    `subject` is whom it selects, at the field `field`; in the whole cluster where its `spaces` are not None. `closes` are the
    directions in which what no rule allows is denied, each with the field that says so. Denials of `rules` count before what any
    other statement allows; but in a `tier`, and among those of Calico, rules count one after the other by `order`.
    """

    document: Document
    subject: Pods
    field: str
    rules: Mapping[Direction, tuple[Said, ...]]
    closes: Mapping[Direction, str]
    tier: Literal["", "Admin", "Baseline"] = ""
    order: float = OF_KUBERNETES

    @property
    def name(self) -> str:
        return str(self.document.obj["metadata"]["name"])

    @property
    def space(self) -> str:
        """Empty where it is cluster-wide, or its folder says the namespace."""
        return str(self.document.obj["metadata"].get("namespace") or "")

    def every_rule(self) -> Iterator[tuple[Direction, Said]]:
        """All rules of both directions."""
        for side in Direction:
            for rule in self.rules.get(side, ()):
                yield side, rule


def may_overlap(one: Pods, other: Pods, spaces: tuple[str, str] = ("", "")) -> bool:
    """Whether two subjects may select one pod; `spaces` are the namespaces of the policies, empty where that is not said."""
    if all(spaces) and spaces[0] != spaces[1]:
        return False
    pairs = [(one.wanted, other.wanted), (one.spaces or (), other.spaces or ())]
    return all(conjunction(build(list(a)), build(list(b))) is not None for a, b in pairs)
