"""Narrowing the policies of Kubernetes' own APIs. Source: NetworkPolicy API, podSelector; policy.networking.k8s.io, subject."""

from collections.abc import Sequence
from typing import Any

from orchestrator.policy.files.manifest import space_of
from orchestrator.policy.narrow.scoped_pods import STAGED_DELETION, Cell, Unnarrowable, joined, within

Manifest = dict[str, Any]


def of_namespace(obj: Manifest, cells: Sequence[Cell]) -> list[Manifest]:
    """A NetworkPolicy for each cell in which it selects a pod; itself where one has all of them. Raises Unnarrowable."""
    if obj["spec"].get("stagedAction") == "Delete":
        raise Unnarrowable(STAGED_DELETION)
    own = obj["spec"].get("podSelector") or {}
    found = [joined(own, labels) for labels in within(cells, space_of(obj))]
    if any(selector is own for selector in found):
        return [obj]
    return [
        {**obj, "spec": {**obj["spec"], "podSelector": selector}}
        for selector in found
        if selector is not None
    ]


def of_cluster(obj: Manifest, cells: Sequence[Cell]) -> list[Manifest]:
    """The same of the policies for the whole cluster, whose subjects are namespaces, or pods in namespaces."""
    subject = obj["spec"]["subject"]
    pods = subject.get("pods") or {"namespaceSelector": subject.get("namespaces") or {}}
    own, mine = pods.get("namespaceSelector") or {}, pods.get("podSelector") or {}
    found = []
    for cell in cells:
        spaces, labels = joined(own, cell.spaces), joined(mine, cell.labels)
        if spaces is None or labels is None:
            continue
        if spaces is own and labels is mine:
            return [obj]
        both = {"pods": {"namespaceSelector": spaces, "podSelector": labels}}
        narrowed = both if subject.get("pods") is not None or labels else {"namespaces": spaces}
        found.append({**obj, "spec": {**obj["spec"], "subject": narrowed}})
    return found
