"""The settings of `serve` as a part of the chart's schema, so that a misspelt one is refused before it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.server.settings import Settings

# What the chart sets itself, by a flag or a variable that would win over the file; and what belongs into no ConfigMap.
FIXED = (
    "namespace",
    "context",
    "kubeconfig",
    "secrets",
    "probe_image",
    "listen",
    "log",
    "signin.oidc.client_secret",
    "signin.keys",
)
KEPT = (
    "type",
    "enum",
    "const",
    "items",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
    "description",
    "additionalProperties",
)


def settings_schema() -> Mapping[str, Any]:
    """Without references, so that it stands wherever it is put."""
    whole = Settings.model_json_schema()
    found: Mapping[str, Any] = _plain(whole, whole.get("$defs", {}), "")
    return found


def _plain(schema: Mapping[str, Any], known: Mapping[str, Any], path: str) -> dict[str, Any]:
    if "$ref" in schema:
        named = known[schema["$ref"].rsplit("/", 1)[1]]
        said = {"description": schema["description"]} if "description" in schema else {}
        return {**_plain(named, known, path), **said}
    found = {k: v for k, v in schema.items() if k in KEPT}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _plain(found[key], known, path)
    for key in ("anyOf", "allOf"):
        if key in schema:
            found[key] = [_plain(one, known, path) for one in schema[key]]
    if "properties" in schema:
        inner = {f"{path}.{name}".lstrip("."): (name, sub) for name, sub in schema["properties"].items()}
        found["properties"] = {
            name: _plain(sub, known, at) for at, (name, sub) in inner.items() if at not in FIXED
        }
    return found
