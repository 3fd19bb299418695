"""A policy in the words of the target, and its text: comments stand before the rules that they are of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from orchestrator.policy.files.manifest import Document
from orchestrator.policy.objects.selector import Selector
from orchestrator.policy.translate.statements import Entity, Wanted

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # a cluster may have thousands of rules
Comments = Mapping[tuple[str, int], Sequence[str]]
T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """`document` is what it is made of; `comments` are those of rules, by the list below `spec` and their number in it."""

    document: Document
    obj: dict[str, Any]
    comments: Comments = field(default_factory=dict)


def text_of(obj: Mapping[str, Any], comments: Comments, title: str = "") -> str:
    """One object as YAML."""
    head = {key: value for key, value in obj.items() if key != "spec"}
    lines = [*([f"# {title}"] if title else []), *_yaml(head)]
    if "spec" not in obj:
        return "\n".join(lines) + "\n"
    told = {part for part, _ in comments}
    rest = {key: value for key, value in obj["spec"].items() if key not in told}
    lines += ["spec:", *(f"  {line}" for line in _yaml(rest) if rest)]
    for part in (key for key in obj["spec"] if key in told):
        lines.append(f"  {part}:")
        for number, rule in enumerate(obj["spec"][part]):
            lines += [f"  # {' '.join(text.split())}" for text in comments.get((part, number), ())]
            lines += [f"  {line}" for line in _yaml([rule])]
    return "\n".join(lines) + "\n"


def _yaml(data: Any) -> list[str]:
    return str(yaml.dump(data, Dumper=_DUMPER, sort_keys=False, width=4096)).splitlines()


def selector_of(wanted: Wanted) -> Selector:
    """A selector of Kubernetes, short where it can be."""
    labels: dict[str, str] = {}
    expressions = []
    for key, operator, values in wanted:
        if operator == "In" and len(values) == 1 and key not in labels:
            labels[key] = next(iter(values))
        else:
            entry: dict[str, Any] = {"key": key, "operator": operator}
            expressions.append({**entry, **({"values": sorted(values)} if values else {})})
    found: Selector = {"matchLabels": labels} if labels else {}
    return {**found, **({"matchExpressions": expressions} if expressions else {})}


def object_of(
    document: Document, api_version: str, kind: str, name: str, space: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """An object with what a policy said of itself: its labels and annotations, without kubectl's own."""
    meta = document.obj["metadata"]
    kept = {key: dict(meta[key]) for key in ("labels", "annotations") if meta.get(key)}
    if "annotations" in kept:
        kept["annotations"].pop(LAST_APPLIED, None)
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            **({"namespace": space} if space else {}),
            **{key: value for key, value in kept.items() if value},
        },
        **body,
    }


def no_word(api: str, entity: Entity) -> str:
    """Why an API cannot say one of Cilium's entities."""
    if entity.name == "cluster":
        return f"{api} has no word for the entity cluster, which is every pod and every node: name the pods by their labels"
    return f"{api} has no word for the entity {entity.name}: only addresses could say it"


def named(name: str, bodies: Sequence[tuple[str, T]]) -> Iterator[tuple[str, str, T]]:
    """Each with its namespace, and a name that no other one has there: the second of a name ends in -2."""
    counts: dict[str, int] = {}
    for space, body in bodies:
        counts[space] = counts.get(space, 0) + 1
        yield space, name if counts[space] == 1 else f"{name}-{counts[space]}", body
