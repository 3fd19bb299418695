"""One rule of a Calico policy: which connections it means. Source: projectcalico.org/v3, Rule and EntityRule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.policy.evaluate.calico.calico_world import Known, Place, World
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.calico_selectors import GLOBAL, Expression, parsed
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import Pod

Part = Mapping[str, Any]
_NUMBERS = {6: "TCP", 17: "UDP", 132: "SCTP", 1: "ICMP", 58: "ICMPv6"}


def expression(text: str | None) -> Expression | None:
    """A selector where one is given, which has to be valid."""
    return parsed(text) if text else None


@dataclass(frozen=True, eq=False)
class Entity:
    """`source` or `destination` of a rule; `own` is the policy's namespace, empty for a global one."""

    body: Part
    own: str
    world: World

    @cached_property
    def _nets(self) -> Networks:
        return Networks(self.body.get("nets") or ())

    @cached_property
    def _not_nets(self) -> Networks:
        return Networks(self.body.get("notNets") or ())

    @cached_property
    def selector(self) -> Expression | None:
        return expression(self.body.get("selector"))

    @cached_property
    def _not_selector(self) -> Expression | None:
        return expression(self.body.get("notSelector"))

    @cached_property
    def spaces(self) -> Expression | None:
        return expression(self.body.get("namespaceSelector"))

    @cached_property
    def account_names(self) -> frozenset[str]:
        return frozenset((self.body.get("serviceAccounts") or {}).get("names") or ())

    @cached_property
    def accounts(self) -> Expression | None:
        return expression((self.body.get("serviceAccounts") or {}).get("selector"))

    @cached_property
    def alone(self) -> bool:
        """Whether it names nothing known but what it excludes."""
        return not (self.selector or self.spaces or self.accounts or self.account_names)

    @property
    def by_labels(self) -> bool:
        """Whether it names anything by labels."""
        return any(
            self.body.get(key) for key in ("selector", "notSelector", "namespaceSelector", "serviceAccounts")
        )

    def blocks(self) -> Iterator[str]:
        """The networks that it names, and the addresses of its Service."""
        yield from self.body.get("nets") or ()
        yield from self.body.get("notNets") or ()
        if named := self.body.get("services"):
            yield from self.world.service_blocks(named.get("namespace") or self.own, str(named.get("name")))

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
        if self.alone and not (self.own and self._not_selector and reading.not_selector_own):
            return True
        return any(self.selects(known, reading) for known in place.known)

    def served(self, place: Place, reading: Reading) -> int | None:
        """The ports at an end of the Service that it names; None where the end is none of that."""
        named = self.body["services"]
        space = named.get("namespace") or (self.own if reading.services_own else "")
        return self.world.service(place, space, named["name"]) if space else None

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
