"""Narrowing the policies of cilium.io: each spec by its endpointSelector. Source: Cilium 1.20, pkg/policy/api/rule.go.

All parts of one object stay one object, which holds a spec for each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.policy.evaluate.cilium.cilium_identities import NAMESPACE, PODS, RESERVED, Identity
from orchestrator.policy.evaluate.cilium.cilium_policies import specs_of
from orchestrator.policy.evaluate.cilium.cilium_selectors import ANY_SOURCE, subject
from orchestrator.policy.files.manifest import space_of
from orchestrator.policy.narrow.scoped_pods import Cell, Scope, Unnarrowable, joined, within
from orchestrator.policy.objects.cilium_words import CLUSTERWIDE
from orchestrator.policy.objects.selector import Requirement, requirements

Manifest = dict[str, Any]
Spec = Mapping[str, Any]
_SPACE = f"{PODS}:{NAMESPACE}"
_BESIDE = {name: Identity({name: ((RESERVED, ""),)}, frozenset()) for name in ("health", "ingress")}


def narrowed(obj: Manifest, scope: Scope, cells: Callable[[Scope, bool], Sequence[Cell]]) -> list[Manifest]:
    """An object with the specs that some cells of a scope leave of it; itself where they leave all. Raises Unnarrowable."""
    specs = [spec for _, spec in specs_of(obj)]
    found = [_parts(obj, spec, scope, cells) for spec in specs]
    if all(parts == [spec] for parts, spec in zip(found, specs, strict=True)):
        return [obj]
    left = [spec for parts in found for spec in parts]
    body = {"spec": left[0]} if len(left) == 1 and "spec" in obj else {"specs": left}
    return [{**{k: v for k, v in obj.items() if k not in ("spec", "specs")}, **body}] if left else []


def meant_beside(obj: Manifest) -> str:
    """What a policy selects beside pods, in words; empty for nothing."""
    specs = [spec for _, spec in specs_of(obj)]
    words = ["nodes"] if any(spec.get("nodeSelector") is not None for spec in specs) else []
    if names := sorted({name for spec in specs for name in _reserved(obj, spec)}):
        words.append(f"Cilium's {' and '.join(names)} endpoints")
    return " and ".join(words)


def _reserved(obj: Manifest, spec: Spec) -> Iterator[str]:
    """The endpoints without a namespace that a spec selects."""
    given = spec.get("endpointSelector")
    if given is not None and obj["kind"] == CLUSTERWIDE:
        yield from (name for name, identity in _BESIDE.items() if subject(given, "").holds(identity))


def _parts(
    obj: Manifest, spec: Spec, scope: Scope, cells: Callable[[Scope, bool], Sequence[Cell]]
) -> list[Spec]:
    """A spec for each cell in which it selects a pod."""
    if spec.get("nodeSelector") is not None:
        raise Unnarrowable("it selects nodes, which are in no scope of pods")
    own = spec.get("endpointSelector") or {}
    if any(key.startswith(f"{RESERVED}:") and op in ("In", "Exists") for key, op, _ in requirements(own)):
        raise Unnarrowable("it selects no pods, but what Cilium reserves labels for")
    overridden = ""
    if obj["kind"] == CLUSTERWIDE:
        asked = [[*_placed(cell), *cell.labels] for cell in cells(scope, any(_reserved(obj, spec)))]
    else:
        labels = {k: v for k, v in (own.get("matchLabels") or {}).items() if k != _SPACE}
        overridden = _SPACE  # Cilium puts the policy's own namespace in the place of such a label, but of no expression
        if labels != (own.get("matchLabels") or {}):
            own = {**own, "matchLabels": labels}
        asked = [[*labels] for labels in within(cells(scope, False), space_of(obj))]
    found = [joined(own, _spelled(own, parts), overridden) for parts in asked]
    if any(selector is own for selector in found):
        return [spec]
    return [{**spec, "endpointSelector": selector} for selector in found if selector is not None]


def _placed(cell: Cell) -> Iterator[Requirement]:
    yield from ((NAMESPACE, operator, names) for _, operator, names in cell.spaces)


def _spelled(own: Spec, parts: Sequence[Requirement]) -> list[Requirement]:
    """Requirements on labels of pods, their keys as a selector has them: with the source, or for any."""
    known = {
        key.removeprefix(f"{ANY_SOURCE}:").removeprefix(f"{PODS}:"): key for key, *_ in requirements(own)
    }
    return [(known.get(key, f"{PODS}:{key}"), operator, values) for key, operator, values in parts]
