"""Rules whose connections nobody knows from the policies alone: by names of DNS, groups of a cloud, authentication, nodes and their like.

Connections are worked out under a plain reading, in which such a rule mostly opens nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.evaluate.calico.calico_policies import CalicoPolicy, of_pods
from orchestrator.policy.evaluate.calico.calico_world import World, is_calico
from orchestrator.policy.evaluate.cilium import cilium_peers
from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent, agent_among
from orchestrator.policy.evaluate.cilium.cilium_policies import specs_of
from orchestrator.policy.evaluate.cilium.cilium_services import Referred
from orchestrator.policy.evaluate.cni_profiles import SAID
from orchestrator.policy.files.doubles import MOST_TOLD, bare, title
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE, POLICIES
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.citing import located
from orchestrator.policy.workloads.fleet import Fleet

Part = Mapping[str, Any]
_FIELDS = {"toFQDNs": "names_resolve", "toGroups": "in_groups", "fromGroups": "in_groups"}
_PEERS = {"domainNames": "names_resolve", "nodes": "nodes_match"}
_NODE = "node"  # not a question of policies: their answer is known, and nobody lists it
_SAID = {
    **SAID,
    _NODE: "which node is the other end: connections with nodes are not listed, and `why` answers for the address of one",
}
_NO_SUBJECT = ("description", "labels")
_SPECS = re.compile(r"^specs\[\d+\]\.")


@dataclass(frozen=True)
class LeftOpen:
    """A rule, or a field of it, and what its meaning depends on; `stands` is after the change, else it stood before it."""

    policy: str
    place: str
    depends: str
    where: str
    stands: bool

    @property
    def name(self) -> str:
        """`CiliumNetworkPolicy shop/db egress[0].toFQDNs`."""
        return bare(f"{self.policy} {self.place}")

    @property
    def text(self) -> str:
        return f"what {self.where} {'means' if self.stands else 'meant'} depends on {self.depends}"


def left_open(old: Fleet, new: Fleet) -> list[LeftOpen]:
    """The rules of which only one side of a change has the like."""
    sides = [dict(_by_meaning(fleet, stands)) for fleet, stands in ((old, False), (new, True))]
    return [one for mine, other in (sides[::-1], sides) for key, one in mine.items() if key not in other]


def told(found: Sequence[LeftOpen]) -> list[str]:
    """What is to be said of them."""
    more = [f"what {len(found) - MOST_TOLD} more such rules mean"] if len(found) > MOST_TOLD else []
    return [*(one.text for one in found[:MOST_TOLD]), *more]


def _by_meaning(fleet: Fleet, stands: bool) -> Iterator[tuple[str, LeftOpen]]:
    """Each by its policy, whom that selects, and the rule: it is the same one wherever it stands among the others."""
    if not fleet.further:
        return
    others = [*fleet.of_cni, *fleet.referred]
    agent, referred, world = agent_among(others), Referred(others), World(fleet.namespaces, others)
    nodes = bool(fleet.nodes)
    for policy in fleet.further:
        if policy["kind"] in POLICIES:
            rules = _of_cilium(policy, agent, referred, nodes)
        elif is_calico(policy):
            rules = _of_calico(policy, world)
        else:
            rules = _of_cluster(policy, nodes)
        for spec, rule, place, depends in rules:
            subject = {
                name: part
                for name, part in spec.items()
                if name not in _NO_SUBJECT and not name.startswith(("ingress", "egress"))
            }
            part = _SPECS.sub("", place).partition("[")[0]
            key = json.dumps([bare(title(policy)), subject, part, rule, depends], sort_keys=True)
            where = located(fleet, f"{title(policy)} {place}", field=place)
            yield key, LeftOpen(title(policy), place, depends, where, stands)


Found = Iterator[
    tuple[Part, Part, str, str]
]  # a spec, its rule, the place of that or of a field, and on what it depends


def _of_cilium(policy: Part, agent: CiliumAgent, referred: Referred, nodes: bool) -> Found:
    space = "" if policy["kind"] == CLUSTERWIDE else str(policy["metadata"].get("namespace") or "default")
    for at, spec in specs_of(policy):
        for side in Direction:
            for part in (f"{side.part}Deny", side.part):
                for number, rule in enumerate(spec.get(part) or ()):
                    for field, question in _of_rule(rule, side, space, agent, referred, nodes):
                        yield spec, rule, f"{at}{part}[{number}].{field}", _SAID[question]


def _of_rule(
    rule: Part, side: Direction, space: str, agent: CiliumAgent, referred: Referred, nodes: bool
) -> Iterator[tuple[str, str]]:
    """The fields of a rule of Cilium that leave a question open."""
    yield from ((field, question) for field, question in _FIELDS.items() if rule.get(field))
    for way in ("from", "to"):
        if agent.known is None and "kube-apiserver" in (rule.get(f"{way}Entities") or ()):
            yield f"{way}Entities", "is_api_server"
        if agent.node_labels and rule.get(f"{way}Nodes"):
            yield f"{way}Nodes", _NODE if nodes else "nodes_match"
        if {"host", "remote-node"} & set(rule.get(f"{way}Entities") or ()):
            yield f"{way}Entities", _NODE
    if (rule.get("authentication") or {}).get("mode", "disabled") != "disabled":
        yield "authentication", "peers_authenticate"
    services = rule.get("toServices") is not None
    if services and cilium_peers.of_rule(rule, side, space, agent, referred).unresolved:
        yield "toServices", "services_open"


def _of_calico(policy: Part, world: World) -> Found:
    if of_pods(policy):
        for side, rules in CalicoPolicy(policy, world).rules.items():
            for number, rule in enumerate(rules):
                if asked := dict.fromkeys(SAID[question] for question in rule.asks()):
                    yield policy["spec"], rule.body, f"{side.part}[{number}]", ", and on ".join(asked)


def _of_cluster(policy: Part, nodes: bool) -> Found:
    for side in Direction:
        for number, rule in enumerate(side.rules(policy)):
            for at, peer in enumerate(side.peers_of(rule)):
                for field, question in _PEERS.items():
                    if peer.get(field) is not None:
                        place = f"{side.part}[{number}].{side.peers}[{at}].{field}"
                        asked = _NODE if field == "nodes" and nodes else question
                        yield policy["spec"], rule, place, _SAID[asked]
