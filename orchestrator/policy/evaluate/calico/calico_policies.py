"""A Calico policy: whom it selects, in which tier and where in it. Source: projectcalico.org/v3, NetworkPolicySpec."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.policy.evaluate.calico.calico_crowd import Crowd
from orchestrator.policy.evaluate.calico.calico_rules import CalicoRule, expression
from orchestrator.policy.evaluate.calico.calico_world import Known, Place, World
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.evaluate.pair_index import Bound
from orchestrator.policy.evaluate.ruling import Ruling, stating
from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects.calico_selectors import Expression
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.networks import Networks

Part = Mapping[str, Any]
_ENFORCED = ("NetworkPolicy", "GlobalNetworkPolicy")
_ACTIONS = {"Allow": "Accept", "Deny": "Deny", "Pass": "Pass"}


def of_pods(obj: Part) -> bool:
    """Whether an object is a policy that Calico enforces on pods: neither staged nor for host endpoints alone."""
    spec = obj.get("spec") or {}
    return obj["kind"] in _ENFORCED and not spec.get("doNotTrack") and not spec.get("preDNAT")


@dataclass(frozen=True, eq=False)
class CalicoPolicy:
    """A NetworkPolicy or GlobalNetworkPolicy that is enforced; `space` is empty for the latter."""

    obj: Part
    world: World

    @property
    def spec(self) -> Part:
        found: Part = self.obj.get("spec") or {}
        return found

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def space(self) -> str:
        if self.obj["kind"] == "GlobalNetworkPolicy":
            return ""
        return self.obj["metadata"].get("namespace") or "default"

    @property
    def tier(self) -> str:
        """Empty where none is named."""
        return self.spec.get("tier") or ""

    @cached_property
    def rules(self) -> Mapping[Direction, Sequence[CalicoRule]]:
        """As they stand, in either direction."""
        return {
            side: [CalicoRule(body, self.space, self.world) for body in self.spec.get(side.part) or ()]
            for side in Direction
        }

    @cached_property
    def subject(self) -> tuple[Expression | None, Expression | None, Expression | None]:
        """Its selectors: of pods, of namespaces, of service accounts."""
        fields = ("selector", "namespaceSelector", "serviceAccountSelector")
        selector, spaces, accounts = (expression(self.spec.get(field)) for field in fields)
        return selector, None if self.space else spaces, accounts

    def in_force(self, side: Direction) -> bool:
        """Whether it speaks of a direction: by its types, else by the rules that it has."""
        types = self.spec.get("types")
        if types:
            return side.value in types
        given = [way for way in Direction if self.rules[way]]
        return side in given or (not given and side is Direction.INGRESS)

    def selects(self, known: Known) -> bool:
        """Whether it is about a pod."""
        selector, spaces, accounts = self.subject
        return (
            (not self.space or known.space == self.space)
            and (selector is None or selector.matches(known.labels))
            and (spaces is None or spaces.matches(known.of_space))
            and (accounts is None or accounts.matches(known.of_account))
        )

    @cached_property
    def asks(self) -> Mapping[Direction, frozenset[str]]:
        """The questions that its rules of a direction depend on: fields of a Reading."""
        return {
            side: frozenset(q for rule in rules for q in rule.asks()) for side, rules in self.rules.items()
        }

    @cached_property
    def outward(self) -> Mapping[Direction, bool]:
        """In which directions it may mean addresses."""
        return {side: any(rule.outward(side) for rule in rules) for side, rules in self.rules.items()}

    def picks(self, side: Direction) -> bool:
        """Whether a rule is about some of the pods alone that it selects."""
        return any(rule.picks(side) for rule in self.rules[side])

    def rulings(self, side: Direction, src: Place, dst: Place, reading: Reading) -> Iterator[Ruling]:
        """What its rules that match say, in order; one that logs says nothing."""
        for number, rule in enumerate(self.rules[side]):
            if rule.action in _ACTIONS and (found := rule.ports(src, dst, reading)):
                said = f"{title(self.obj)} {side.part}[{number}]: {rule.action}"
                yield stating(_ACTIONS[rule.action], found, said)

    def chosen(self, crowd: Crowd) -> int:
        """As `selects`, of all pods at once."""
        selector, spaces, accounts = self.subject
        found = crowd.pods.within(self.space) & crowd.everyone if self.space else crowd.everyone
        found &= crowd.everyone if selector is None else selector.among(crowd.labels)
        found &= crowd.everyone if spaces is None else spaces.among(crowd.spaces)
        return found if accounts is None else found & accounts.among(crowd.accounts)

    def bounds(self, side: Direction, crowd: Crowd, reading: Reading) -> Sequence[tuple[int, Bound]]:
        """As `rulings`, of all pods at once: whom each rule is about, and what it says."""
        found = []
        for rule in self.rules[side]:
            if rule.action in _ACTIONS:
                own, peers = rule.among(side, crowd, reading)
                found.append((own, Bound(_ACTIONS[rule.action], *peers)))
        return found

    @cached_property
    def networks(self) -> Mapping[Direction, Sequence[Networks]]:
        """The networks that its rules name, the addresses of Services, and the sets where a rule selects by labels."""
        return {side: list(self._networks(rules)) for side, rules in self.rules.items()}

    def _networks(self, rules: Sequence[CalicoRule]) -> Iterator[Networks]:
        entities = [entity for rule in rules for entity in (rule.source, rule.destination)]
        for entity in entities:
            yield from entity.networks()
        if any(entity.by_labels for entity in entities):
            yield from (networks for _, networks in self.world.sets)
