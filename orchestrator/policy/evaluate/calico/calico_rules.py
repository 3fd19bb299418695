"""One rule of a Calico policy: which connections it means. Source: projectcalico.org/v3, Rule and EntityRule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.policy.evaluate.calico.calico_crowd import Crowd
from orchestrator.policy.evaluate.calico.calico_world import GROUP, Known, Place, World
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.tiers import Span
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.calico_selectors import GLOBAL, Expression, parsed
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import Pod

Part = Mapping[str, Any]
_NOWHERE = Networks()
_NARROWING = {"ports", "notPorts", "services"}
_NUMBERS = {6: "TCP", 17: "UDP", 132: "SCTP", 1: "ICMP", 58: "ICMPv6"}


def expression(text: str | None) -> Expression | None:
    """A selector where one is given, which has to be valid."""
    return parsed(text) if text else None


class Entity:
    """`source` or `destination` of a rule; `own` is the policy's namespace, empty for a global one.

    `alone` says that it names nothing known but what it excludes.
    """

    def __init__(self, body: Part, own: str, world: World) -> None:
        self.body, self.own, self.world = body, own, world
        self._nets = Networks(body["nets"]) if body.get("nets") else _NOWHERE
        self._not_nets = Networks(body["notNets"]) if body.get("notNets") else _NOWHERE
        self.selector = expression(body.get("selector"))
        self._not_selector = expression(body.get("notSelector"))
        self.spaces = expression(body.get("namespaceSelector"))
        accounts = body.get("serviceAccounts") or {}
        self.account_names = frozenset(accounts.get("names") or ())
        self.accounts = expression(accounts.get("selector"))
        self.alone = not (self.selector or self.spaces or self.accounts or self.account_names)

    @property
    def by_labels(self) -> bool:
        """Whether it names anything by labels."""
        return any(
            self.body.get(key) for key in ("selector", "notSelector", "namespaceSelector", "serviceAccounts")
        )

    def networks(self) -> Iterator[Networks]:
        """Those that it names, and the addresses of its Service, each of which has ports of its own."""
        if self.body.get("nets"):
            yield self._nets
        if self.body.get("notNets"):
            yield self._not_nets
        if named := self.body.get("services"):
            space = named.get("namespace") or self.own
            yield from (Networks([a]) for a in self.world.addresses_of(space, str(named.get("name"))))

    def asks(self) -> Iterator[str]:
        """The questions that its meaning depends on: fields of a Reading."""
        if self.own and self._not_selector and self.alone:
            yield "not_selector_own"
        if self.world.global_sets and self.spaces not in (None, GLOBAL) and self._unplaced(by_lack=True):
            yield "spaces_mean_global_sets"
        if self.own and self.body.get("services") and not self.body["services"].get("namespace"):
            yield "services_own"

    def means(self, place: Place, reading: Reading) -> bool:
        """Whether an end is one of these, ports left aside."""
        body = self.body
        if body.get("nets") and not self._nets.hold(place.address):
            return False
        if body.get("notNets") and self._not_nets.hold(place.address):
            return False
        if self._not_selector and any(self._not_selector.matches(k.labels) for k in place.known):
            return False
        if body.get("services") and self.served(place, reading) is None:
            return False
        if self._anybody(reading):
            return True
        return any(self.selects(known, reading) for known in place.known)

    def among(self, crowd: Crowd, reading: Reading) -> Span:
        """As `means`, of all pods at once that have a network of their own."""
        if not self.body:
            return Span(crowd.everyone, crowd.everyone)
        most = surely = crowd.everyone if self._anybody(reading) else self.chosen(crowd)
        if self.by_labels:
            most, surely = most | crowd.in_sets, surely & ~crowd.in_sets
        if self._not_selector:
            left = ~self._not_selector.among(crowd.labels)
            most, surely = most & left, surely & left
        if self.body.get("nets"):
            covered = crowd.pods.covered(self._nets)
            most, surely = most & covered, surely & covered & ~crowd.pods.several
        if self.body.get("notNets"):
            covered = crowd.pods.covered(self._not_nets)
            most, surely = most & ~(covered & ~crowd.pods.several), surely & ~covered
        if self.body.get("services"):
            space = self._space_of_service(reading)
            name = self.body["services"]["name"]
            most, surely = most & self.world.pods_of(crowd.pods, space, name) if space else 0, 0
        return Span(most, surely)

    def chosen(self, crowd: Crowd) -> int:
        """As `selects`, of all pods at once."""
        if self.spaces is not None:
            found = self.spaces.among(crowd.spaces)
        else:
            found = crowd.pods.within(self.own) & crowd.everyone if self.own else crowd.everyone
        if self.account_names:
            found &= crowd.accounts.among(f"{GROUP}/name", self.account_names)
        if self.accounts:
            found &= self.accounts.among(crowd.accounts)
        return found if self.selector is None else found & self.selector.among(crowd.labels)

    def _anybody(self, reading: Reading) -> bool:
        """Whether it means whatever it does not exclude."""
        return self.alone and not (self.own and self._not_selector and reading.not_selector_own)

    def served(self, place: Place, reading: Reading) -> int | None:
        """The ports at an end of the Service that it names; None where the end is none of that."""
        space = self._space_of_service(reading)
        return self.world.service(place, space, self.body["services"]["name"]) if space else None

    def _space_of_service(self, reading: Reading) -> str:
        """The namespace of the Service that it names; empty where that is none."""
        return self.body["services"].get("namespace") or (self.own if reading.services_own else "")

    def selects(self, known: Known, reading: Reading) -> bool:
        """All of its selectors hold of one and the same thing."""
        if not self._in_space(known, reading):
            return False
        if self.account_names and known.account not in self.account_names:
            return False
        if self.accounts and not self.accounts.matches(known.of_account):
            return False
        return self.selector is None or self.selector.matches(known.labels)

    def _in_space(self, known: Known, reading: Reading) -> bool:
        if self.spaces is None:
            return not self.own or known.space == self.own
        if known.space:
            return self.spaces.matches(known.of_space)
        return self._unplaced(reading.spaces_mean_global_sets)

    def _unplaced(self, by_lack: bool) -> bool:
        """Whether its namespaceSelector means what is in no namespace; `by_lack` says that labels may lack for that."""
        spaces = self.spaces
        return spaces == GLOBAL or (by_lack and spaces is not None and spaces.matches({}, placed=False))


@dataclass(frozen=True, eq=False)
class CalicoRule:
    """A rule as the policy has it; `own` is the policy's namespace, empty for a global one."""

    body: Part
    own: str
    world: World

    @property
    def action(self) -> str:
        """Allow, Deny, Pass or Log."""
        return str(self.body["action"])

    @cached_property
    def source(self) -> Entity:
        return Entity(self.body.get("source") or {}, self.own, self.world)

    @cached_property
    def destination(self) -> Entity:
        return Entity(self.body.get("destination") or {}, self.own, self.world)

    def asks(self) -> Iterator[str]:
        """The questions that its meaning depends on: fields of a Reading."""
        yield from self.source.asks()
        yield from self.destination.asks()
        if self.body.get("http"):
            yield "http_matches"
        if self.action != "Log" and (self.source.body.get("ports") or self.source.body.get("notPorts")):
            yield self._of_source_ports

    def outward(self, side: Direction) -> bool:
        """Whether it may mean an address as the other end: by what it names, or by sets that have labels."""
        _, peer = side.ends(self.source, self.destination)
        return peer.alone or bool(self.world.sets)

    def picks(self, side: Direction) -> bool:
        """Whether it is about some alone of the pods that its policy selects."""
        end, _ = side.ends(self.source, self.destination)
        return bool(end.body.keys() - {"ports", "notPorts"})

    def ports(self, src: Place, dst: Place, reading: Reading) -> int:
        """The ports (see port_sets.py) on which it means a connection."""
        if self.body.get("http") and not reading.http_matches:
            return ports.NONE
        if self.body.get("ipVersion") not in (None, _family(src, dst)):
            return ports.NONE
        if not self.source.means(src, reading) or not self.destination.means(dst, reading):
            return ports.NONE
        if not self._from_port(src, reading):
            return ports.NONE
        found = self._of_protocol
        given = self.destination.body
        if given.get("services"):
            found &= self.destination.served(dst, reading) or ports.NONE
        if given.get("ports"):
            found &= self._listed(given["ports"], dst.pod)
        if given.get("notPorts"):
            found &= ~self._listed(given["notPorts"], dst.pod)
        return found

    def among(self, side: Direction, crowd: Crowd, reading: Reading) -> tuple[int, Span]:
        """As `ports`, of all pods at once: those that it is about, and the other ends that it means or decides on all ports."""
        if self.body.get("http") and not reading.http_matches:
            return 0, Span(0, 0)
        end, peer = side.ends(self.source, self.destination)
        own, other = end.among(crowd, reading), peer.among(crowd, reading)
        return own.most, other if self._whole and own.surely == own.most else Span(other.most, 0)

    @cached_property
    def _whole(self) -> bool:
        """Whether it names no ports, nor anything beside the two ends."""
        ends = {*self.source.body, *self.destination.body}
        return self.body.keys() <= {"action", "metadata", "source", "destination"} and not ends & _NARROWING

    def may_name(self, asked: int) -> bool:
        """Whether it may mean any of some ports, at a destination of which nothing is known."""
        given, found = self.destination.body, self._of_protocol
        listed = given.get("ports") or ()
        if listed and all(str(entry).partition(":")[0].isdecimal() for entry in listed):
            found &= self._listed(listed, None)
        if given.get("notPorts"):
            found &= ~self._listed(given["notPorts"], None)
        return bool(found & asked)

    @cached_property
    def _protocol(self) -> str:
        return _protocol(self.body.get("protocol"))

    @cached_property
    def _of_protocol(self) -> int:
        """What its protocols and types of ICMP leave."""
        found = _all_of(self._protocol) if self._protocol else ports.ANY
        if excluded := _protocol(self.body.get("notProtocol")):
            found &= ~_all_of(excluded)
        if (kind := (self.body.get("icmp") or {}).get("type")) is not None:
            found &= self._messages(kind, self.body["icmp"].get("code"))
        if (kind := (self.body.get("notICMP") or {}).get("type")) is not None:
            found &= ~self._messages(kind, self.body["notICMP"].get("code"))
        return found

    def _messages(self, kind: int, code: int | None) -> int:
        return ports.icmp("ICMP", kind, code) | ports.icmp("ICMPv6", kind, code)

    @property
    def _of_source_ports(self) -> str:
        return f"source_ports_{self.action.lower()}"

    def _from_port(self, src: Place, reading: Reading) -> bool:
        """Whether the client's port is one of its source's: where that is open, the reading says."""
        given, every = self.source.body, _all_of(self._protocol)
        wanted = self._listed(given["ports"], src.pod) if given.get("ports") else every
        if given.get("notPorts"):
            wanted &= ~self._listed(given["notPorts"], src.pod)
        if wanted in (ports.NONE, every):
            return wanted == every
        return bool(getattr(reading, self._of_source_ports))

    def _listed(self, entries: Sequence[int | str], pod: Pod | None) -> int:
        """Numbers, ranges `a:b`, and names that a pod has for ports of the rule's protocol."""
        found = ports.NONE
        for entry in entries:
            first, colon, last = str(entry).partition(":")
            if first.isdecimal():
                found |= ports.span(self._protocol, int(first), int(last if colon else first))
            else:
                named = {"protocol": self._protocol, "port": first}
                found |= ports.of_rule([named], pod or "")
        return found


def _protocol(given: int | str | None) -> str:
    """By name; empty where none is given."""
    if given is None:
        return ""
    return _NUMBERS.get(int(given), "other") if str(given).isdecimal() else str(given)


def _all_of(protocol: str) -> int:
    """Every port, or type and code, of a protocol; of other protocols no question is asked."""
    return ports.icmp(protocol) if protocol in ports.ICMPS else ports.span(protocol)


def _family(src: Place, dst: Place) -> int:
    """The IP version of a connection; 4 where no address is known."""
    known = next((p.address for p in (src, dst) if p.address), "")
    return 6 if ":" in known else 4
