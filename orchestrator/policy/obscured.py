"""What is not known because an object cannot be read: answers that depend on it are left out, for they would be "no"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.policy.fleet import Fleet
from orchestrator.policy.peers import rules
from orchestrator.policy.selector import requirements
from orchestrator.policy.templates import MACHINES, TEMPLATED

_NAME = "kubernetes.io/metadata.name"  # the API server gives it to every namespace
_WITH_PODS = (*TEMPLATED, *MACHINES, "CronJob", "Pod", "VirtualMachineInstance")


def known_alone(*states: Fleet, policies: bool = True) -> list[Fleet]:
    """The states, in each without the workloads of which one state does not know labels, or the last one `policies`."""
    spaces = {n for s in states for n in unlabelled(s)} | {*(unruled(states[-1]) if policies else ())}
    names = frozenset(name for s in states for name in _workloads(s))
    if not spaces and not names:
        return list(states)
    return [
        replace(
            s,
            workloads=tuple(
                w for w in s.workloads if w.pod.namespace not in spaces and _key(w.kind, w.name) not in names
            ),
        )
        for s in states
    ]


def unlabelled(fleet: Fleet) -> list[str]:
    """The namespaces whose labels are not known, where a policy asks for labels of namespaces."""
    found = [d.obj["metadata"]["name"] for d, _ in fleet.malformed if d.obj["kind"] == "Namespace"]
    return found if found and (fleet.cluster or any(map(_asks_labels, fleet.policies))) else []


def _asks_labels(policy: Mapping[str, Any]) -> bool:
    selectors = (
        peer.get("namespaceSelector") or {}
        for _, peers, _, rule in rules(policy)
        for peer in rule.get(peers) or []
    )
    return any(key != _NAME for selector in selectors for key, _, _ in requirements(selector))


def unruled(fleet: Fleet) -> list[str]:
    """The namespaces with a policy that cannot be read, or that the API server would refuse."""
    found = [p for p, _ in fleet.invalid]
    found += [d.obj for d, _ in fleet.malformed if d.obj["kind"] == "NetworkPolicy"]
    return list(dict.fromkeys(_space(obj) for obj in found))


def left_out(fleet: Fleet) -> Iterator[str]:
    """What is to be said of namespaces with such policies: the objects themselves are findings."""
    for space in unruled(fleet):
        yield f"the connections of namespace {space}: a policy there is not valid, so that they are not known"


def selects_unknown(fleet: Fleet, policy: Mapping[str, Any]) -> bool:
    """Whether a policy may select a workload whose labels are not known."""
    return policy["metadata"]["namespace"] in {name.partition("/")[0] for _, name in _workloads(fleet)}


def means_unknown(fleet: Fleet, policy: Mapping[str, Any], peer: Mapping[str, Any]) -> bool:
    """Whether a peer may mean a workload or a namespace whose labels are not known."""
    if peer.get("namespaceSelector") is None:
        return "ipBlock" not in peer and selects_unknown(fleet, policy)
    return bool(unlabelled(fleet)) or bool(_workloads(fleet))


def _workloads(fleet: Fleet) -> set[tuple[str, str]]:
    """Kind and `namespace/name` of those that are hidden."""
    objects = (d.obj for d, _ in fleet.malformed if d.obj["kind"] in _WITH_PODS)
    return {(o["kind"], f"{_space(o)}/{o['metadata']['name']}") for o in objects}


def _key(kind: str, name: str) -> tuple[str, str]:
    return kind, name.removesuffix(f"[{kind}]")


def _space(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"].get("namespace") or "default")
