"""An object that stands already: whether a source may write it, and who else would."""

from dataclasses import dataclass

from orchestrator.errors import BadInput
from orchestrator.rollout.managers import others, told
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.resource import Source


@dataclass(frozen=True)
class Found:
    """`remark` is for the plan; `observed_of` says who manages what is left alone, empty where it is written."""

    remark: str = ""
    observed_of: str = ""


def conflict(source: Source, obj: Manifest | None, namespace: str, where: str) -> Found:
    """Raises BadInput where the object must not be written and that is not wanted to be left alone either."""
    if obj is None:
        return Found()
    name, owner, found = f"{namespace}/{objects.label(obj)}", objects.owner(obj), others(obj)
    if owner == source.name:
        return Found(contest(obj, namespace))
    if owner:
        raise BadInput(f"{name} belongs to the source {owner}", where, "rename it")
    manager = f"{told(found)}, since {obj['metadata'].get('creationTimestamp', 'an unknown time')}"
    if source.spec.conflicts == "refuse":
        hint = "rename it, remove it there, or set conflicts: adopt or observe in the source"
        raise BadInput(f"{name} exists and is not this source's; it is managed by {manager}", where, hint)
    if source.spec.conflicts == "observe":
        return Found(observed_of=manager)
    fight = "; it may restore its own version: see docs/argo-cd.md and docs/flux.md"
    warned = fight if any(o.fights for o in found) else ""
    return Found(f"{name} is adopted, so far managed by {manager}{warned}")


def contest(obj: Manifest, namespace: str) -> str:
    """Said where an object of a source is also managed by what may revert it by itself."""
    fighting = tuple(o for o in others(obj) if o.fights)
    if not fighting:
        return ""
    return f"{namespace}/{objects.label(obj)} is also managed by {told(fighting)}, which may restore its own version"
