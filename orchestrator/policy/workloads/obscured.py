"""What cannot be read, and what it hides: the workloads, labels and policies of which nothing is known."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.policy.files.manifest import Document, space_of
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.objects.owners import owner_of
from orchestrator.policy.objects.pod_templates import MACHINES, TEMPLATED, template_of
from orchestrator.policy.objects.selector import NAME_LABEL, requirements
from orchestrator.policy.schemas.policy_kinds import namespaced

_WITH_PODS = (*TEMPLATED, *MACHINES, "CronJob", "Pod", "VirtualMachineInstance")


@dataclass(frozen=True)
class Obscured:
    """Of a set of manifests: those that are malformed, the policies that are invalid, and the ones that are in force."""

    malformed: Sequence[tuple[Document, str]]
    invalid: Sequence[tuple[Mapping[str, Any], str]]
    policies: Sequence[Mapping[str, Any]]
    further: Sequence[Mapping[str, Any]]

    @cached_property
    def workloads(self) -> Mapping[str, frozenset[str]]:
        """Those that are hidden, each with the names under which others of its pods may be known: `namespace/name[Kind]`."""
        objects = (d.obj for d, _ in self.malformed)
        return {found[0]: frozenset(found) for found in map(_names, filter(_has_pods, objects))}

    @cached_property
    def homes(self) -> frozenset[str]:
        """The namespaces of hidden workloads."""
        return frozenset(name.partition("/")[0] for name in self.workloads)

    @cached_property
    def unlabelled(self) -> frozenset[str]:
        """The namespaces whose labels are not known, where a policy asks for labels of namespaces."""
        names = frozenset(
            d.obj["metadata"]["name"] for d, _ in self.malformed if d.obj["kind"] == "Namespace"
        )
        return names if names and (self.further or any(map(_asks_labels, self.policies))) else frozenset()

    @cached_property
    def unruled(self) -> Mapping[str, str]:
        """Policies that cannot be read, or that the API server would refuse, and their namespaces; none is of all of them."""
        found = [p for p, _ in self.invalid]
        found += [d.obj for d, _ in self.malformed if d.obj["kind"].endswith("NetworkPolicy")]
        return {_titled(p): space_of(p) if namespaced(p) else "" for p in found}


def _titled(policy: Mapping[str, Any]) -> str:
    space = f"{space_of(policy)}/" if namespaced(policy) else ""
    return f"{policy['kind']} {space}{policy['metadata']['name']}"


def _has_pods(obj: Mapping[str, Any]) -> bool:
    if obj["kind"] in _WITH_PODS:
        return True
    try:
        return template_of(obj) is not None
    except (AttributeError, KeyError, TypeError, ValueError):
        return True  # it is of pods, else nothing of it is read


def _names(obj: Mapping[str, Any]) -> list[str]:
    """Its own name, of a pod that of its owner and of that one's owner, as a ReplicaSet's name says it."""
    kind, name = obj["kind"], str(obj["metadata"]["name"])
    if kind != "Pod":
        return [f"{space_of(obj)}/{name}[{kind}]"]
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        kind, name = owner_of(obj)
    found = [f"{space_of(obj)}/{name}[{kind}]"]
    if kind == "ReplicaSet" and "-" in name:
        found.insert(0, f"{space_of(obj)}/{name.rpartition('-')[0]}[Deployment]")
    return found


def _asks_labels(policy: Mapping[str, Any]) -> bool:
    return any(
        key != NAME_LABEL for selector in _of_namespaces(policy) for key, _, _ in requirements(selector)
    )


def _of_namespaces(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for side in Direction:
        for rule in side.rules(policy):
            yield from (peer.get("namespaceSelector") or {} for peer in side.peers_of(rule))
