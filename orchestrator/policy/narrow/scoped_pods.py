"""The pods of a scope and all others, as requirements: cells, of which each pod is in exactly one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.policy.files.doubles import title
from orchestrator.policy.objects.selector import (
    NAME_LABEL,
    Requirement,
    Selector,
    merged,
    opposite,
    requirements,
    satisfied,
)
from orchestrator.policy.schemas.fields import dns_label
from orchestrator.policy.schemas.schema import SELECTOR

STAGED_DELETION = "it stages the deletion of another policy, and selects nothing"


class Unnarrowable(Exception):
    """What of a scope or an object cannot be narrowed exactly, and why, in words for people."""


def refusal(obj: Mapping[str, Any], why: str) -> Unnarrowable:
    """Why an object cannot be narrowed."""
    return Unnarrowable(f"{title(obj)} cannot be narrowed to some pods: {why}")


@dataclass(frozen=True)
class Scope:
    """Some pods: those in `namespaces`, in any where that is None, with labels that `selector`, a LabelSelector, selects."""

    namespaces: frozenset[str] | None = None
    selector: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Cell:
    """Pods of which all of this holds: `spaces` asks for NAME_LABEL of their namespace, `labels` for their own labels."""

    spaces: tuple[Requirement, ...] = ()
    labels: tuple[Requirement, ...] = ()


def check(scope: Scope) -> None:
    """Raises Unnarrowable where it names what no API would take."""
    names = (wrong for name in sorted(scope.namespaces or ()) for wrong in dns_label(name, "namespaces"))
    for wrong in (*SELECTOR(dict(scope.selector), "selector"), *names):
        raise Unnarrowable(f"the scope is not valid: {wrong}")


def inside(scope: Scope, placed: bool = False) -> list[Cell]:
    """The cell of the scope; none where no pod can be in it.

    `placed` asks for a namespace even where any will do, which tells pods from what is in none.
    """
    labels = merged(requirements(scope.selector))
    if labels is None or scope.namespaces == frozenset():
        return []
    spaces: tuple[Requirement, ...] = ((NAME_LABEL, "Exists", frozenset()),) if placed else ()
    if scope.namespaces is not None:
        spaces = ((NAME_LABEL, "In", scope.namespaces),)
    return [Cell(spaces, tuple(labels))]


def outside(scope: Scope, placed: bool = False) -> list[Cell]:
    """The cells of all that is not in the scope, one for each of its requirements, the ones before it fulfilled."""
    if not (found := inside(scope, placed)):
        return [Cell()]
    spaces, labels = found[0].spaces, found[0].labels
    return [
        *(Cell((opposite(part),)) for part in spaces),
        *(Cell(spaces, (*labels[:at], opposite(part))) for at, part in enumerate(labels)),
    ]


def within(cells: Iterable[Cell], space: str) -> list[tuple[Requirement, ...]]:
    """What cells ask of the labels of pods in one namespace."""
    return [cell.labels for cell in cells if satisfied(cell.spaces, {NAME_LABEL: space})]


def joined(
    own: Mapping[str, Any], more: Sequence[Requirement], never_label: str = ""
) -> Mapping[str, Any] | None:
    """A selector and further requirements as one: itself where it says as much already, None for plainly nothing."""
    mine = merged(requirements(own))
    both = None if mine is None else merged([*mine, *more])
    if both is None:
        return None
    return own if both == mine else _written(both, never_label)


def _written(parts: Iterable[Requirement], never_label: str) -> Selector:
    """A selector as people write it: single values as labels, but of one key, and the rest as expressions."""
    labels: dict[str, str] = {}
    expressions = []
    for key, operator, values in parts:
        if operator == "In" and len(values) == 1 and key != never_label:
            (labels[key],) = values
        else:
            listed = {"values": sorted(values)} if values else {}
            expressions.append({"key": key, "operator": operator, **listed})
    found: Selector = {"matchLabels": labels} if labels else {}
    return {**found, "matchExpressions": expressions} if expressions else found
