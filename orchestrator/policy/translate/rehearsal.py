"""Whether a translation changes any connection, by the one evaluator: among the workloads at hand, and pods that are made up.

Those are made of what the policies mention, for a policy may select none of the workloads: pods that fulfil a selector, and pods
that miss it by one label.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.connection_diff import Change, changes
from orchestrator.policy.objects.selector import NAME_LABEL, satisfied
from orchestrator.policy.schemas.policy_kinds import CILIUM, TIERED, is_policy
from orchestrator.policy.translate.statements import Pods, Statement, Wanted
from orchestrator.policy.workloads.fleet import Fleet, fleet

MOST_PODS = 120  # that are made up
_FIRST_PORT = 20_001
_ELSEWHERE = "elsewhere"
Labels = dict[str, str]


@dataclass(frozen=True)
class Rehearsal:
    """The connections that change, among so many workloads at hand and so many pods that are made up."""

    changes: Sequence[Change]
    workloads: int
    made_up: int
    before: Fleet
    after: Fleet


def rehearsed(
    documents: Sequence[Document], after: Sequence[Document], statements: Sequence[Statement]
) -> Rehearsal:
    """`documents` are all that stand there, `after` the policies that come in place of theirs; `statements` say what theirs mean."""
    beside = [d for d in documents if not is_policy(d.obj)]
    more = list(_made_up(statements, documents))
    old, new = fleet([*documents, *more]), fleet([*beside, *more, *after])
    if old.order == CILIUM and new.of_cluster and not new.of_cni:
        # Cilium enforces none of these: they are for a cluster with another CNI.
        new = replace(new, asked_as=TIERED)
    made_up = sum(d.obj["kind"] == "Pod" for d in more)
    return Rehearsal(changes(old, new, replicas=True), len(new.workloads) - made_up, made_up, old, new)


def _made_up(statements: Sequence[Statement], documents: Iterable[Document]) -> Iterator[Document]:
    """Namespaces and Pods as documents."""
    given = {d.obj["metadata"]["name"]: _labels(d.obj) for d in documents if d.obj["kind"] == "Namespace"}
    spaces = _spaces(statements, given)
    ports = _ports(statements)
    for name, labels in spaces.items():
        if name not in given:
            yield _document("Namespace", {"name": name, "labels": labels}, {})
    placed: dict[tuple[str, tuple[tuple[str, str], ...]], None] = {}
    for statement in statements:
        subject, own = statement.subject, statement.space or _folder(statement) or "default"
        peers = [p for _, rule in statement.every_rule() for _, p in rule.peers or () if isinstance(p, Pods)]
        for pods in (subject, *peers):
            for space in _homes(pods, own, spaces):
                placed |= {(space, tuple(sorted(labels.items()))): None for labels in _variants(pods.wanted)}
    for number, (space, pairs) in enumerate([*placed][:MOST_PODS]):
        meta = {"name": f"made-up-{number}", "namespace": space, "labels": dict(pairs)}
        yield _document(
            "Pod", meta, {"spec": {"containers": [{"name": "it", "image": "it", "ports": ports}]}}
        )


def _document(kind: str, meta: Mapping[str, Any], body: Mapping[str, Any]) -> Document:
    return Document({"apiVersion": "v1", "kind": kind, "metadata": meta, **body}, "made up", 1)


def _labels(obj: Mapping[str, Any]) -> Labels:
    return {**(obj["metadata"].get("labels") or {}), NAME_LABEL: obj["metadata"]["name"]}


def _folder(statement: Statement) -> str:
    """The namespace that the folder of a policy stands for; empty where it stands for none."""
    folder, slash, _ = statement.document.path.partition("/")
    return folder if slash and not folder.startswith("_") else ""


def _spaces(statements: Sequence[Statement], given: Mapping[str, Labels]) -> dict[str, Labels]:
    """Namespaces by name: those that are there or named, one for each selector that none fulfils, and one of no policy."""
    names = {s.space or _folder(s) or "default" for s in statements}
    asked = [p.spaces for s in statements for p in (s.subject, *_pods_of(s)) if p.spaces]
    for wanted in asked:
        names |= {
            v
            for key, operator, values in wanted
            if key == NAME_LABEL and operator in ("In", "NotIn")
            for v in values
        }
    found = {name: {NAME_LABEL: name} for name in sorted({*names, _ELSEWHERE})} | dict(given)
    for number, wanted in enumerate(asked):
        for labels in _variants(wanted):
            if not any(satisfied(_exactly(labels), other) for other in found.values()):
                name = labels.get(NAME_LABEL) or f"made-up-{number}-{len(found)}"
                found[name] = {**labels, NAME_LABEL: name}
    return found


def _exactly(labels: Labels) -> Wanted:
    return tuple((key, "In", frozenset([value])) for key, value in labels.items())


def _pods_of(statement: Statement) -> Iterator[Pods]:
    for _, rule in statement.every_rule():
        yield from (peer for _, peer in rule.peers or () if isinstance(peer, Pods))


def _homes(pods: Pods, own: str, spaces: Mapping[str, Labels]) -> list[str]:
    """A few namespaces in which pods are meant, and one in which they are not."""
    if pods.spaces is None:
        meant = [own]
    else:
        meant = [name for name, labels in spaces.items() if satisfied(pods.spaces, labels)][:3]
    return [*meant, *[name for name in spaces if name not in meant][:1]]


def _variants(wanted: Wanted) -> list[Labels]:
    """Labels that fulfil all, and for each requirement labels that miss it alone."""
    found = [_fulfilling(wanted)]
    for number, (key, operator, values) in enumerate(wanted):
        rest = _fulfilling(wanted[:number] + wanted[number + 1 :])
        if operator in ("In", "Exists"):
            rest.pop(key, None)
            found.append(rest)
        else:
            found.append({**rest, key: min(values) if values else "there"})
    return found


def _fulfilling(wanted: Wanted) -> Labels:
    found = {key: min(values) for key, operator, values in wanted if operator == "In" and values}
    found |= {key: "there" for key, operator, _ in wanted if operator == "Exists" and key not in found}
    return found


def _ports(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """A declared port for each name that any rule has."""
    names = {
        (span.name, span.protocol)
        for s in statements
        for _, rule in s.every_rule()
        for _, span in rule.ports or ()
        if span.name
    }
    return [
        {"name": name, "protocol": protocol, "containerPort": _FIRST_PORT + number}
        for number, (name, protocol) in enumerate(sorted(names))
    ]
