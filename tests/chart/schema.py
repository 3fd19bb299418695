"""values.schema.json, which refuses a misspelt value, and what it and values.yaml and the README are written from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chart.values import IN_CONFIG, SECTIONS, TOGETHER, VALUES

DRAFT = "http://json-schema.org/draft-07/schema#"


def tree(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Every value's default, nested as in values.yaml. KeyError where config/ does not say one that it should."""
    found: dict[str, Any] = {}
    for value in VALUES:
        *sections, last = value.name.split(".")
        inner = found
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = defaults[value.name] if value.default is IN_CONFIG else value.default
    return found


def schema() -> str:
    """As JSON, closed at every level that is the chart's own."""
    root: dict[str, Any] = _section("")
    for value in VALUES:
        *sections, last = value.name.split(".")
        inner = root
        for section in sections:
            inner = inner["properties"].setdefault(section, _section(section))
        inner["properties"][last] = {"description": value.says, **_without_its_own(value.schema)}
    # Of the parent chart, where this one is a dependency.
    root["properties"]["global"] = {
        "type": "object",
        "description": "What a parent chart shares; not used here.",
    }
    whole = {"$schema": DRAFT, "title": "Values of the chart netpol-canary", **root, "allOf": list(TOGETHER)}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _section(name: str) -> dict[str, Any]:
    says = {"description": SECTIONS[name]} if name else {}
    return {**says, "type": "object", "additionalProperties": False, "properties": {}}


def _without_its_own(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in schema.items() if k != "description"}
