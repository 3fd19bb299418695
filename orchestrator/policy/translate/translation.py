"""Policies of any API as those of one: what is made of each, what the target cannot say, and where two APIs differ by nature."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.calico.calico_world import is_calico
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.directions import EGRESS
from orchestrator.policy.schemas.policy_kinds import CALICO, CILIUM, TIERED, group_of, namespaced
from orchestrator.policy.translate import (
    of_admin,
    of_calico,
    of_cilium,
    of_network_policy,
    to_admin,
    to_calico,
    to_cilium,
    to_network_policy,
)
from orchestrator.policy.translate.in_order import unordered
from orchestrator.policy.translate.made import Made
from orchestrator.policy.translate.statements import Block, Entity, Refuse, Statement

NETWORK_POLICY = "networking.k8s.io"
Read = Callable[[Document, Refuse], Iterator[Statement]]
Write = Callable[[Sequence[Statement], Refuse, Refuse], list[Made]]
# By API group, and by the word that people give for one.
_READ: Mapping[str, Read] = {
    NETWORK_POLICY: of_network_policy.read,
    TIERED: of_admin.read,
    CILIUM: of_cilium.read,
    CALICO: of_calico.read,
}
_WRITE: Mapping[str, tuple[str, Write]] = {
    "networkpolicy": (NETWORK_POLICY, to_network_policy.write),
    "anp": (TIERED, to_admin.write),
    "cilium": (CILIUM, to_cilium.write),
    "calico": (CALICO, to_calico.write),
}
TARGETS = tuple(_WRITE)
_OF_ANP = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")


@dataclass(frozen=True)
class Remark:
    """What is said of a field of a policy."""

    document: Document
    field: str
    why: str

    @property
    def subject(self) -> str:
        """The policy by its kind and name."""
        meta = self.document.obj["metadata"]
        name = "/".join(str(meta[k]) for k in ("namespace", "name") if meta.get(k))
        return f"{self.document.obj['kind']} {name}"


@dataclass(frozen=True)
class Translation:
    """`kept` are policies that are of the target already; `refused` says what it cannot say: nothing is whole then.

    `statements` are those of all policies; `general` says where two APIs differ by nature, whatever a policy says.
    """

    made: tuple[Made, ...]
    kept: tuple[Document, ...]
    statements: tuple[Statement, ...]
    refused: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    general: tuple[str, ...]

    @property
    def documents(self) -> list[Document]:
        """All policies as they come out, each where what it is made of stands."""
        return [*self.kept, *(replace(m.document, obj=m.obj) for m in self.made)]


def write_as(target: str, option: str = "--to") -> Write:
    """What writes statements in the words of a target. Raises BadInput for one that is not known."""
    if target not in _WRITE:
        raise BadInput(
            f"{target} is no API of policies that is known here", option, f"take one of {', '.join(TARGETS)}"
        )
    return _WRITE[target][1]


def translated(policies: Sequence[Document], target: str) -> Translation:
    """Valid policies in the words of a target. Raises BadInput for a target that is not known."""
    write = write_as(target)
    refused: list[Remark] = []
    notes: list[Remark] = []
    kept = [d for d in policies if _is_of(d.obj, target)]
    statements = [s for d in policies for s in _READ[_group(d.obj)](d, partial(_remark, refused, d))]
    if any(is_calico(d.obj) for d in policies):
        statements = _without_order(statements, refused)
    left = {id(d) for d in policies} - {id(d) for d in kept}
    by_policy: dict[int, list[Statement]] = {}
    for statement in statements:
        if id(statement.document) in left:
            by_policy.setdefault(id(statement.document), []).append(statement)
    if target == "anp":
        _refuse_passed(statements, left, refused)
    made = [
        one
        for mine in by_policy.values()
        for one in write(
            mine, partial(_remark, refused, mine[0].document), partial(_remark, notes, mine[0].document)
        )
    ]
    for one in _doubled(kept, made):
        why = "another policy of that name would come out as well"
        refused.append(Remark(one.document, "metadata.name", why))
    again = {id(d) for d in kept}
    refused = [r for r in _once(refused) if id(r.document) not in again]
    converted = [s for mine in by_policy.values() for s in mine]
    return Translation(
        tuple(_together(made, kept, target)),
        tuple(kept),
        tuple(statements),
        tuple(refused),
        tuple(_once(notes)),
        tuple(_general(converted, target)),
    )


def _together(made: Sequence[Made], kept: Sequence[Document], target: str) -> Sequence[Made]:
    """With what several policies share: tiers, or an order of priorities."""
    if target == "calico":
        return [*to_calico.tiers(made), *made]
    return to_admin.in_sequence(made, [d.obj for d in kept]) if target == "anp" else made


def _refuse_passed(statements: Sequence[Statement], left: Collection[int], refused: list[Remark]) -> None:
    """Policies without a tier, where some of the Admin tier pass on to them: in one tier that would skip them."""
    passing = any(
        s.tier == "Admin" and rule.action == "Pass" for s in statements for _, rule in s.every_rule()
    )
    for statement in statements:
        if passing and not statement.tier and id(statement.document) in left:
            why = "a policy of the Admin tier passes on to NetworkPolicies and the like, and would skip it as one of its own tier"
            refused.append(Remark(statement.document, statement.field, why))


def _doubled(kept: Sequence[Document], made: Sequence[Made]) -> Iterator[Made]:
    """Policies that another one of their name would replace."""
    seen = {_identity(d.obj, d.path) for d in kept}
    for one in made:
        own = _identity(one.obj, one.document.path)
        if own in seen:
            yield one
        seen.add(own)


def _identity(obj: Mapping[str, Any], path: str) -> tuple[str, str, str]:
    """A kind and a name in a namespace, or in a folder that stands for one or several."""
    meta = obj["metadata"]
    space = meta.get("namespace") or (path.partition("/")[0] if namespaced(obj) else "")
    return str(obj["kind"]), str(space), str(meta["name"])


def _once(remarks: Sequence[Remark]) -> list[Remark]:
    return list({(id(r.document), r.field, r.why): r for r in remarks}.values())


def _is_of(obj: Mapping[str, Any], target: str) -> bool:
    """Whether a policy is of the target already."""
    return _group(obj) == _WRITE[target][0] and (target != "anp" or obj["kind"] in _OF_ANP)


def _group(obj: Mapping[str, Any]) -> str:
    return group_of(str(obj["apiVersion"]))


def _remark(found: list[Remark], document: Document, field: str, why: str) -> None:
    found.append(Remark(document, field, why))


def _without_order(statements: Sequence[Statement], refused: list[Remark]) -> list[Statement]:
    """Those that Calico asks in its default tier count in order, NetworkPolicies at 1000."""
    mine = [n for n, s in enumerate(statements) if _group(s.document.obj) in (CALICO, NETWORK_POLICY)]
    refuse = [partial(_remark, refused, statements[n].document) for n in mine]
    found = list(statements)
    for n, settled in zip(mine, unordered([statements[n] for n in mine], refuse), strict=True):
        found[n] = settled
    return found


def _general(statements: Sequence[Statement], target: str) -> Iterator[str]:
    """Where the source and the target differ by nature, whatever a policy says."""
    groups = {_group(s.document.obj) for s in statements}
    sources = groups - {_WRITE[target][0]}
    peers = [p for s in statements for _, rule in s.every_rule() for _, p in rule.peers or ()]
    if any(isinstance(p, Block) or p == Entity("world") for p in peers) and CILIUM in {
        *sources,
        _WRITE[target][0],
    }:
        yield (
            "addresses: those of Cilium match neither pods nor nodes, while an ipBlock, or networks of another CNI, may match the "
            "addresses of pods, too"
        )
    if CALICO in sources and any(s.subject.spaces == () for s in statements):
        yield "host endpoints: a GlobalNetworkPolicy that names no namespaces selects them as well, policies of other APIs do not"
    if target == "cilium" and any(EGRESS in s.closes for s in statements):
        yield (
            "a pod's own node: under Cilium egress to it needs a rule, toEntities: [host], as to NodeLocal DNSCache; other CNIs let "
            "it pass"
        )
    if CILIUM in sources and any(EGRESS in s.closes for s in statements):
        yield "a pod's own node: other CNIs than Cilium let pass what a pod sends to it, whatever a policy says"
