"""Where a policy stands: in a namespace, or in the whole cluster, which has a name here that no namespace can have."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from orchestrator.wording import many

CLUSTER = "_cluster"  # also the folder of a source that holds what is for the whole cluster


def place(obj: Mapping[str, Any]) -> str:
    """The namespace of an object, or the cluster."""
    return str(obj["metadata"].get("namespace") or CLUSTER)


def space(name: str) -> str | None:
    """A place as the API server takes it: no namespace for the cluster."""
    return None if name == CLUSTER else name


def spaces(names: Iterable[str]) -> list[str]:
    """The namespaces among places."""
    return [name for name in names if name != CLUSTER]


def worded(name: str) -> str:
    """A place where people read it."""
    return "cluster-wide" if name == CLUSTER else name


def counted(names: Collection[str]) -> str:
    """How many namespaces, for people, and whether the cluster is among the places."""
    found = many(len(spaces(names)), "namespace")
    if CLUSTER not in names:
        return found
    return f"{found} and the whole cluster" if len(names) > 1 else "the whole cluster"


def record_name(rollout: str, name: str) -> str:
    """What the NamespaceRollout of a place is called; no namespace has a dot in its name."""
    return f"{rollout}.cluster.wide" if name == CLUSTER else f"{rollout}.{name}"
