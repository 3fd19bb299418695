"""Which field of a policy a change touched: where an annotation about it belongs."""

import re
from collections.abc import Mapping
from typing import Any


def touched_field(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The path of the first field below `spec` that differs, as in the state afterwards; empty where none does."""
    return _first(before, after, "spec").removeprefix("spec.")


def touched_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The same of whole policies, which may have `specs`: `specs[1].ingress[0]`."""
    found = touched_field(before.get("spec") or {}, after.get("spec") or {})
    return found or _first(before.get("specs"), after.get("specs"), "specs")


def rule_of(field: str) -> str:
    """The rule, such as `ingress[0]`, that a field is part of; empty for one of no rule."""
    found = re.match(r"(?:in|e)gress\[\d+\]", field)
    return found[0] if found else ""


def _first(before: Any, after: Any, path: str) -> str:
    if before == after:
        return ""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        key = next(k for k in {**after, **before} if before.get(k) != after.get(k))
        return (
            _first(before[key], after[key], f"{path}.{key}")
            if key in before and key in after
            else (f"{path}.{key}" if key in after else path)
        )
    if isinstance(before, list) and isinstance(after, list) and after:
        new = next((at for at, item in enumerate(after) if item not in before), None)
        if new is None:
            return path
        same = len(before) == len(after)
        return _first(before[new], after[new], f"{path}[{new}]") if same else f"{path}[{new}]"
    return path
