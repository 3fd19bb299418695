"""config/schemas: JSON Schemas of what people write, for editors: from the models that read it, in the words of the reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orchestrator.cli.policies.acceptances import MOST
from orchestrator.cli.policies.lint import CONFIG, TAKEN
from orchestrator.policy.author.intents import PolicyTest
from orchestrator.policy.lint.accepting import Acceptance
from orchestrator.policy.lint.findings import RULES
from orchestrator.rollout.resources import model as m
from orchestrator.server.settings import Settings
from reference.resources import described, models_in, own_text

FOLDER = Path(__file__).parents[2] / "config/schemas"
DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that every editor reads
Schema = dict[str, Any]
KEPT = (
    *("type", "enum", "format", "pattern", "minLength", "maxLength", "minItems", "maxItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
)
STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: Schema = {
    "description": "How the object is called.",
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"description": "Its name.", "type": "string", "minLength": 1, "maxLength": 253},
        "namespace": {"description": "The namespace that it stands in.", "type": "string", "maxLength": 63},
        "labels": {"description": "Its labels.", **STRINGS},
        "annotations": {"description": "Its annotations.", **STRINGS},
    },
}
STATUS: Schema = {"description": "The controller's: leave it out.", "type": "object"}


def files() -> dict[str, str]:
    """The text of each, by its file's name."""
    found = {
        "policysource": _manifest("PolicySource", m.PolicySourceSpec, {"status": STATUS}),
        "rolloutfreeze": _manifest("RolloutFreeze", m.RolloutFreezeSpec, {"status": STATUS}),
        "policytest": _manifest("PolicyTest", PolicyTest, {}),
        "lint": _lint(),
        "settings": {"title": "Settings of netpol-canary serve", **_object(Settings, nulls=True)},
    }
    return {
        f"{name}.json": json.dumps({"$schema": DRAFT, **schema}, indent=1, ensure_ascii=False) + "\n"
        for name, schema in found.items()
    }


def _manifest(kind: str, spec: type[BaseModel], more: Mapping[str, Schema]) -> Schema:
    """`more` are fields beside the spec."""
    text = " ".join(own_text(spec).split("\n\n")[0].split())
    properties: Schema = {
        "apiVersion": {"description": "The API's group and version.", "enum": [m.API_VERSION]},
        "kind": {"description": "The kind of object.", "enum": [kind]},
        "metadata": METADATA,
        "spec": {"description": text, **_object(spec)},
    }
    return {
        "title": kind,
        "description": text,
        "type": "object",
        "required": [*properties],
        "properties": {**properties, **more},
        "additionalProperties": False,
    }


def _lint() -> Schema:
    """YAML 1.1, which the program reads, takes `off` for false."""
    rules = {
        rule.id: {
            "description": f"{rule.title}: {rule.text}",
            "enum": [*TAKEN, False],
            "default": rule.severity,
        }
        for rule in RULES.values()
    }
    return {
        "title": CONFIG,
        "description": "How severe the findings of a directory are, and which of them somebody accepted.",
        "type": "object",
        "properties": {
            "lint": {
                "description": "Severities by rule.",
                "type": "object",
                "properties": rules,
                "additionalProperties": False,
            },
            "accepted": {
                "description": "What `check` shows and lets pass, each entry one finding.",
                "type": "array",
                "maxItems": MOST,
                "items": _object(Acceptance),
            },
        },
        "additionalProperties": False,
    }


def _object(model: type[BaseModel], nulls: bool = False) -> Schema:
    """Written out where it is used, so that each field is described by what it is for there; without `nulls`, as the API server
    has it, a field is left out where it has no value."""
    schema = model.model_json_schema(by_alias=True)
    fields = {f.alias or name: f for name, f in model.model_fields.items()}
    properties = {
        name: {
            "description": node.get("description") or described(model, name),
            **_value(node, next(models_in(fields[name].annotation), None), nulls),
        }
        for name, node in schema["properties"].items()
    }
    one = {"minProperties": 1, "maxProperties": 1} if model is m.WaveStep else {}  # as the CRD has it
    required = {"required": schema["required"]} if "required" in schema else {}
    return {
        "type": "object",
        **required,
        "properties": properties,
        "additionalProperties": False,
        **one,
    }


def _value(node: Schema, inner: type[BaseModel] | None, nulls: bool) -> Schema:
    """What a field takes, in the words of draft 7; `inner` is the model that its type names."""
    if "$ref" in node:
        assert inner is not None
        return _object(inner, nulls)
    kept = {key: node[key] for key in KEPT if key in node}
    if "const" in node:
        kept["enum"] = [node["const"]]
    if "anyOf" in node:
        parts = [_value(part, inner, nulls) for part in node["anyOf"] if nulls or part.get("type") != "null"]
        kept |= parts[0] if len(parts) == 1 else {"anyOf": parts}
    if "items" in node:
        kept["items"] = _value(node["items"], inner, nulls)
    if isinstance(node.get("additionalProperties"), dict):
        kept["additionalProperties"] = _value(node["additionalProperties"], inner, nulls)
    if not isinstance(default := node.get("default"), dict | list | None) and default != "":
        kept["default"] = default
    return kept
