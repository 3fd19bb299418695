"""Calico's selectors that are valid, and mean no pod and no set of networks that is known here."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from orchestrator.policy.evaluate.calico.calico_crowd import Crowd
from orchestrator.policy.evaluate.calico.calico_policies import CalicoPolicy, of_pods
from orchestrator.policy.evaluate.calico.calico_rules import Entity
from orchestrator.policy.evaluate.calico.calico_world import GROUP, Known, Labels, World
from orchestrator.policy.evaluate.cni_profiles import Reading
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.assumed_resolvers import RESOLVERS
from orchestrator.policy.lint.kinds.of_api import of_calico
from orchestrator.policy.lint.likely_labels import likely_label
from orchestrator.policy.network.dns import SYSTEM
from orchestrator.policy.objects.calico_selectors import ALL, GLOBAL, Expression, comparisons
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.workloads.fleet import Fleet

_READING = Reading()
_NAMES = (f"{GROUP}/name", NAME_LABEL)  # labels of namespaces and accounts that Calico and Kubernetes give


class _Asked(NamedTuple):
    """One of the selectors that stand together: its field, and the labels that it sees of what is known."""

    field: str
    expression: Expression | None
    seen: Sequence[Labels]


class _Cluster:
    """What selectors may mean, by its namespace, and what of its labels is not known."""

    def __init__(self, fleet: Fleet) -> None:
        self.world = World(fleet.namespaces, fleet.referred)
        pods = [w.pod for w in fleet.workloads if not w.pod.host_network]
        self.crowd = Crowd(pods, fleet.namespaces, self.world)
        self.pods = [self.world.place(pod).known[0] for pod in pods]
        self.sets = [known for known, _ in self.world.sets]
        self.everything = [*self.pods, *self.sets]
        self.homes = {known.space for known in self.pods}
        declared = {d.obj["metadata"]["name"] for d in fleet.beside if d.obj["kind"] == "Namespace"}
        accounts = {
            (o["metadata"].get("namespace") or "default", o["metadata"]["name"])
            for o in fleet.referred
            if o["kind"] == "ServiceAccount"
        }
        self.spaces_known = declared >= self.homes
        self.accounts_known = {(p.namespace, p.account) for p in pods if p.account != "default"} <= accounts
        self._by_space: dict[str, list[Known]] = {}
        for known in self.everything:
            self._by_space.setdefault(known.space, []).append(known)
        self.resolvers = RESOLVERS if SYSTEM not in self.homes else ()

    def within(self, space: str) -> Sequence[Known]:
        """What is known of a namespace; everything where none is named."""
        return self._by_space.get(space, []) if space else self.everything

    def decides(self, asked: Sequence[_Asked]) -> bool:
        """Whether no label that is not among the manifests can bear on the selectors."""
        for one in asked:
            keys = [c.key for c in comparisons(one.expression)]
            if one.field == "namespaceSelector":
                spaces, accounts = any(k not in _NAMES for k in keys), False
            elif one.field.startswith("serviceAccount"):
                spaces, accounts = False, any(k not in _NAMES for k in keys)
            else:
                spaces, accounts = (any(k.startswith(p) for k in keys) for p in ("pcns.", "pcsa."))
            if (spaces and not self.spaces_known) or (accounts and not self.accounts_known):
                return False
        return True


def selecting_nothing(fleet: Fleet) -> Iterator[Finding]:
    """Policies and rules that mean nobody; nothing of namespaces of which nothing is known, nor where labels are hidden."""
    policies = [p for p in of_calico(fleet) if of_pods(p)]
    if not policies or fleet.obscured.workloads or fleet.obscured.unlabelled:
        return
    cluster = _Cluster(fleet)
    for obj in policies:
        policy = CalicoPolicy(obj, cluster.world)
        if policy.space and policy.space not in cluster.homes:
            continue
        yield from _subject(fleet, policy, cluster)
        for side in Direction:
            for number, rule in enumerate(policy.rules[side] if policy.in_force(side) else ()):
                for name, entity in (("source", rule.source), ("destination", rule.destination)):
                    place = f"{side.part}[{number}].{name}"
                    yield from _entity(fleet, policy, entity, place, cluster)


def _subject(fleet: Fleet, policy: CalicoPolicy, cluster: _Cluster) -> Iterator[Finding]:
    selector, spaces, accounts = policy.subject
    if policy.chosen(cluster.crowd) or any(map(policy.selects, cluster.resolvers)):
        return
    pods = [k for k in cluster.pods if not policy.space or k.space == policy.space]
    asked = [
        _Asked("namespaceSelector", spaces, [k.of_space for k in pods]),
        _Asked("serviceAccountSelector", accounts, [k.of_account for k in pods]),
        _Asked("selector", selector, [k.labels for k in pods]),
    ]
    hosts = not (policy.space or spaces or accounts)
    yield from _found(fleet, policy, "spec.", asked, cluster, hosts, "no workload")


def _entity(
    fleet: Fleet, policy: CalicoPolicy, entity: Entity, place: str, cluster: _Cluster
) -> Iterator[Finding]:
    if entity.alone or entity.account_names or entity.spaces == GLOBAL or entity.chosen(cluster.crowd):
        return
    if any(entity.selects(known, _READING) for known in chain(cluster.sets, cluster.resolvers)):
        return
    near = cluster.within(policy.space if entity.spaces is None else "")
    asked = [
        _Asked("namespaceSelector", entity.spaces, [k.of_space for k in near if k.space]),
        _Asked("serviceAccounts.selector", entity.accounts, [k.of_account for k in near]),
        _Asked("selector", entity.selector, [k.labels for k in near]),
    ]
    hosts = not (policy.space or entity.spaces or entity.accounts)
    yield from _found(fleet, policy, f"{place}.", asked, cluster, hosts, "nothing that is known here")


def _found(
    fleet: Fleet,
    policy: CalicoPolicy,
    place: str,
    asked: Sequence[_Asked],
    cluster: _Cluster,
    hosts: bool,
    what: str,
) -> Iterator[Finding]:
    """`hosts`: host endpoints may be meant, which are not known here; then a label has to be spelt like a known one."""
    given = [one for one in asked if one.expression not in (None, ALL)]
    if not given or not cluster.decides(given):
        return
    wrong = next((o for o in given if not any(o.expression.matches(s) for s in o.seen)), given[-1])  # type: ignore[union-attr]
    fix = _likely(wrong)
    if fix or not hosts:
        yield of_policy(fleet, "NPC031", policy.obj, f"{place}{wrong.field} matches {what}", fix)


def _likely(asked: _Asked) -> str:
    """Which label may have been meant."""
    wanted = [
        {"key": c.key, "operator": "Exists" if c.operator == "has" else "In", "values": sorted(c.values)}
        for c in comparisons(asked.expression)
        if c.operator in ("==", "in", "has")
    ]
    return likely_label({"matchExpressions": wanted}, asked.seen)
