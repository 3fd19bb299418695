"""What a rollout changes in a namespace, object by object, as unified diffs of YAML."""

import difflib
import json
from collections.abc import Mapping
from typing import Any

import yaml

from orchestrator.record.view import ObjectDiff
from orchestrator.rollout.resources.model import Change, NamespaceRolloutSpec
from orchestrator.rollout.resources.objects import label

Objects = Mapping[str, Mapping[str, Any]]
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # a wave may have thousands of objects


def object_diffs(spec: NamespaceRolloutSpec, written: bool = True) -> tuple[ObjectDiff, ...]:
    """One for each frozen change, in the plan's order; their diffs are empty where they need not be written."""
    before, after = (_labelled(spec.before), _labelled(spec.after)) if written else ({}, {})
    return tuple(
        ObjectDiff(c.object, c.action, c.file, c.commit, _diff(spec, c, before, after) if written else "")
        for c in spec.changes
    )


def _diff(spec: NamespaceRolloutSpec, change: Change, before: Objects, after: Objects) -> str:
    title = f"{spec.namespace}/{change.object}"
    return unified(title, before.get(change.object), after.get(change.object), change.file)


def unified(
    title: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, file: str = ""
) -> str:
    """A unified diff of two objects as YAML; None is absence."""
    where = f"{title} ({file})" if file else title
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        f"{title} (standing)" if before else "/dev/null",
        where if after else "/dev/null",
        lineterm="",
    )
    return "\n".join(lines)


def _lines(obj: Mapping[str, Any] | None) -> list[str]:
    return str(yaml.dump(dict(obj), Dumper=_Dumper, sort_keys=True)).splitlines() if obj else []


def _labelled(texts: list[str]) -> dict[str, dict[str, Any]]:
    """The frozen objects by `Kind/name`, as changes name them."""
    objects = [json.loads(text) for text in texts]
    return {label(obj): obj for obj in objects}
