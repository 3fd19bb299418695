"""Where a policy stands: in a namespace, or in the whole cluster, which has a name here that no namespace can have.

A place that changes in several waves has a name for each of them, `pay.1` and so on; in the last it has its own.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from orchestrator.wording import many

CLUSTER = "_cluster"  # also the folder of a source that holds what is for the whole cluster


def place(obj: Mapping[str, Any]) -> str:
    """The namespace of an object, or the cluster."""
    return str(obj["metadata"].get("namespace") or CLUSTER)


def staged(name: str, stage: int) -> str:
    """A place in one of the waves before its last, counted from 1; 0 is the last. No namespace has a dot in its name."""
    return f"{name}.{stage}" if stage else name


def whole(name: str) -> str:
    """A place, whichever wave it is meant in."""
    return name.partition(".")[0]


def stage(name: str) -> int:
    """In which of its waves a place is meant; 0 for the last, or the only one."""
    return int(name.partition(".")[2] or 0)


def space(name: str) -> str | None:
    """A place as the API server takes it: no namespace for the cluster."""
    found = whole(name)
    return None if found == CLUSTER else found


def spaces(names: Iterable[str]) -> list[str]:
    """The namespaces among places, each once."""
    return list(dict.fromkeys(found for name in names if (found := space(name)) is not None))


def worded(name: str) -> str:
    """A place where people read it."""
    found = whole(name)
    return "cluster-wide" if found == CLUSTER else found


def counted(names: Collection[str]) -> str:
    """How many namespaces, for people, and whether the cluster is among the places."""
    mine, wide = spaces(names), any(space(name) is None for name in names)
    found = many(len(mine), "namespace")
    if not wide:
        return found
    return f"{found} and the whole cluster" if mine else "the whole cluster"


def record_name(rollout: str, name: str) -> str:
    """What the NamespaceRollout of a place is called."""
    found, at = whole(name), stage(name)
    return staged(f"{rollout}.cluster.wide" if found == CLUSTER else f"{rollout}.{found}", at)
