"""Which connections the policies allow, in the order in which the cluster asks them: order.py.

New connections only. What the API leaves to the implementation is a Reading; `decide` tells where the
answer depends on it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent, agent_among
from orchestrator.policy.evaluate.cilium.cilium_order import CiliumOrder
from orchestrator.policy.evaluate.cni_profiles import SAID, Reading, readings
from orchestrator.policy.evaluate.order import Ends, Order
from orchestrator.policy.evaluate.orders import order_of
from orchestrator.policy.evaluate.pair_index import Most
from orchestrator.policy.evaluate.ruling import Ruling, decided
from orchestrator.policy.objects import port_sets as ports
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction
from orchestrator.policy.objects.networks import Networks
from orchestrator.policy.objects.pod import End, NamedPort, Pod, families

__all__ = ["Decision", "End", "NamedPort", "Network", "Pod", "Why"]


@dataclass(frozen=True)
class Why:
    """One end's answer: whether it lets the connection pass, and the policies and rules that decide it."""

    side: str
    allowed: bool
    rules: tuple[str, ...]
    fields: tuple[str, ...] = field(default=(), compare=False)

    @property
    def cited(self) -> Iterator[tuple[str, str]]:
        """Each rule with the field below `spec` that decides: a peer or a port where the rule has several, else empty."""
        return zip_longest(self.rules, self.fields, fillvalue="")


@dataclass(frozen=True)
class Decision:
    """`allowed` is None where it depends on the CNI; `depends` says on what. `why` is of the plain reading."""

    allowed: bool | None
    depends: tuple[str, ...] = ()
    why: tuple[Why, ...] = ()


class Network:
    """Namespaces (name to labels) and the policies that stand in them, under one reading of the API."""

    def __init__(
        self,
        namespaces: Mapping[str, Mapping[str, str]],
        policies: Sequence[dict[str, Any]],
        cluster: Sequence[dict[str, Any]] = (),
        settled: Mapping[str, bool] | None = None,
        nodes: Mapping[str, Mapping[str, str]] | None = None,
        further: Sequence[Mapping[str, Any]] = (),
        agent: CiliumAgent | None = None,
        group: str = "",
    ) -> None:
        """`nodes` has the labels of nodes by their addresses; None where they are not known.

        `further` are policies of CNIs' own APIs, and objects that any policies refer to, such as sets and Services.
        `agent` has the options of Cilium's agent, where that is the one. `group` is the API group of the CNI that asks them all;
        where it is empty, those among `further` tell.
        """
        self._settled = dict(settled or {})
        self._plain = Reading(**self._settled)
        if self._plain.cilium or agent is not None:
            told = agent or agent_among(further)
            if self._plain.cilium_1_20:
                told = replace(told, quirks="1.20")
            self._order: Order = CiliumOrder(namespaces, policies, cluster, nodes, further, told)
        else:
            self._order = order_of(namespaces, policies, cluster, nodes, further, group)

    @property
    def order(self) -> Order:
        """The order in which policies are asked."""
        return self._order

    def networks(self) -> Iterable[Networks]:
        """All sets of addresses that rules tell apart from others."""
        return self._order.networks()

    def isolated(self, pod: Pod, side: Direction) -> bool:
        """Whether what no rule names is denied, one way of a pod."""
        return self._order.isolates(pod, side)

    def allowed(self, src: End, dst: End, protocol: str, port: int) -> bool:
        """Both ends must allow; under the plain reading, or what the profile settles."""
        return bool(self.over_ports(src, dst, ports.span(protocol, port, port)))

    def decide(self, src: End, dst: End, protocol: str, port: int) -> Decision:
        """The answer under every reading that is open, with the rules that decide it; of ICMP the type is the port."""
        return self.judge(src, dst, ports.asked(protocol, port))

    def judge(self, src: End, dst: End, asked: int) -> Decision:
        """As `decide`, of a set of ports of which any is enough."""
        found = readings(self._settled, self._order.questions(src, dst))
        pairs = list(families(src, dst))
        answers = {r: any(self._passing(*ends, asked, r) for ends in pairs) for r in found}
        shown = next((p for p in pairs if self._passing(*p, asked, self._plain)), pairs[0])
        why = tuple(self._why(*shown, asked, self._plain))
        if len(set(answers.values())) == 1:
            return Decision(answers[found[0]], (), why)
        depends = [q for q in SAID if _matters(q, answers)]
        return Decision(None, tuple(dict.fromkeys(SAID[q] for q in depends)), why)

    def over_ports(self, src: End, dst: End, asked: int) -> int:
        """Those of a set of ports (see ports.py) on which the connection is allowed, under the plain reading."""
        found = 0
        for one, other in families(src, dst):
            found |= self._passing(one, other, asked, self._plain)
        return found

    def passing(self, side: Direction, src: End, dst: End) -> int:
        """The ports that one end alone lets pass, whatever the other does; of two different ends."""
        found = 0
        for pair in families(src, dst):
            ends = self._order.seen(*pair, self._plain)
            if ends.free or not isinstance(side.ends(*ends.both)[0], Pod):
                return ports.ALL
            found |= self._side(side, ends, ports.ALL, self._plain)[0]
        return found

    def most(self, pods: Sequence[Pod]) -> Most:
        """For each of some pods those that it may talk to at most under the plain reading, either way, as pair_index.py has it."""
        return self._order.most(pods, self._plain)

    def _passing(self, src: End, dst: End, asked: int, reading: Reading) -> int:
        ends = self._order.seen(src, dst, reading)
        for side in () if ends.free else (EGRESS, INGRESS):
            if asked and isinstance(side.ends(*ends.both)[0], Pod):
                asked, _ = self._side(side, ends, asked, reading)
        return asked

    def _why(self, src: End, dst: End, asked: int, reading: Reading) -> Iterator[Why]:
        ends = self._order.seen(src, dst, reading)
        for side in (EGRESS, INGRESS):
            if isinstance(side.ends(*ends.both)[0], Pod):
                allowed, found = self._side(side, ends, asked, reading)
                cited = [c for ruling in found for c in ruling.cited(asked)]
                yield Why(side.value, bool(allowed), tuple(r for r, _ in cited), tuple(f for _, f in cited))

    def _side(self, side: Direction, ends: Ends, asked: int, reading: Reading) -> tuple[int, list[Ruling]]:
        """Those of a set of ports that one end lets pass, and what decided on any of them."""
        return decided(self._order.tiers(side, ends, reading), asked)


def _matters(question: str, answers: Mapping[Reading, bool]) -> bool:
    """Whether two readings that differ in this question alone give two answers."""
    return any(
        answers.get(replace(r, **{question: not getattr(r, question)}), a) != a for r, a in answers.items()
    )
