"""docs/reference/resources.md: every kind and every field, from the models that the CRDs are generated from.

And docs/reference/policytest.md, of a kind that is no CRD.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from orchestrator.policy.author.intents import PolicyTest
from orchestrator.rollout.resources.kinds import KINDS as DECLARED
from orchestrator.rollout.resources.model import API_VERSION
from orchestrator.rollout.resources.resource import MODELS
from reference.fields import FIELDS, KINDS, TYPES
from reference.tables import cell, code, table

HEAD = f"""# Resources

All are of `{API_VERSION}`, and stand in the orchestrator's own namespace. This page is written from the models by
`make reference`, as config/crd is: an unknown field is an error, and every list and string has a bound.
"""
TEST_HEAD = f"""# PolicyTest

What must hold, as a file beside the policies: [Policies](../policies.md#what-must-hold) has an example, and says what reads
it. It is of `{API_VERSION}`, is applied nowhere, and has a `metadata.name` like any other object. This page is written from
the model by `make reference`: an unknown field is an error.

## spec
"""
Schema = dict[str, Any]


def models() -> dict[str, type[BaseModel]]:
    """Every model that stands in a resource, by name."""
    return within(*(model for pair in MODELS.values() for model in pair))


def within(*tops: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """These models and all that stand in them, by name."""
    found: dict[str, type[BaseModel]] = {}
    for model in tops:
        _collect(model, found)
    return found


def _collect(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    if model.__name__ in found:
        return
    found[model.__name__] = model
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            _collect(inner, found)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type names."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def page() -> str:
    """The whole page, as Markdown."""
    tops = {m.__name__ for pair in MODELS.values() for m in pair}
    rest = sorted(name for name in models() if name not in tops)
    kinds = [(f"[`{k}`](#{k.lower()})", f"`{DECLARED[k].short}`", KINDS[k]) for k in MODELS]
    parts = [HEAD, table(("kind", "short", "one per"), kinds)]
    parts += [_kind(kind) for kind in MODELS]
    parts.append("\n## Parts\n\nWhat stands within the fields above, by name.")
    parts += [f"\n### {name}\n\n{_model(models()[name])}" for name in rest]
    return "\n".join(parts)


def policy_test() -> str:
    """docs/reference/policytest.md: every field of a PolicyTest, from the model that reads it."""
    parts = [model for model in within(PolicyTest).values() if model is not PolicyTest]
    tables = [f"\n## {model.__name__}\n\n{_model(model)}" for model in parts]
    return "\n".join([TEST_HEAD, _model(PolicyTest), *tables])


def _kind(kind: str) -> str:
    names = DECLARED[kind]
    spec, status = MODELS[kind]
    columns = ", ".join(c[0] + (" (with `-o wide`)" if c[3] else "") for c in names.columns)
    lines = [f"\n## {kind}\n", f"`kubectl get {names.plural}`, or `{names.short}`, shows: {columns}."]
    lines += ["\nThe spec is frozen at creation."] if names.frozen else []
    for part, model in (("spec", spec), ("status", status)):
        lines.append(f"\n### {kind} {part}\n\n{_model(model)}")
    return "\n".join(lines)


def _model(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    rows = [
        (
            f"`{field}`",
            _type(inner, schema.get("$defs", {})),
            _default(model, schema, field, inner),
            cell(described(model, field)),
        )
        for field, inner in schema["properties"].items()
    ]
    text = own_text(model) or TYPES.get(model.__name__, "")
    return "\n".join([*([_marked(text), ""] if text else []), table(("field", "type", "default", ""), rows)])


def own_text(model: type[BaseModel]) -> str:
    """The model's docstring, as paragraphs; empty where it has none of its own."""
    return inspect.cleandoc(model.__dict__.get("__doc__") or "")


def _marked(text: str) -> str:
    return text.replace("<", "&lt;")


def described(model: type[BaseModel], field: str) -> str:
    """What a field is for: its words, else what the model's own text says of it, else what its type is."""
    words = FIELDS.get(f"{model.__name__}.{field}") or FIELDS.get(f"*.{field}")
    if words:
        return words
    said = [s for s in _sentences(own_text(model)) if re.search(rf"`{field}\b", s)]
    if said:
        return " ".join(said)
    known = {f.alias or n: f for n, f in model.model_fields.items()}
    for inner in models_in(known[field].annotation):
        return next(iter(_sentences(own_text(inner))), "")
    return ""


def _sentences(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=\.)\s+(?=[A-Z`])", " ".join(text.split())) if s]


def _type(schema: Schema, definitions: dict[str, Schema]) -> str:
    """In words, with bounds; a part is a link to its table."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        real = next(part for part in schema["anyOf"] if part.get("type") != "null")
        return _type({**{k: v for k, v in schema.items() if k != "anyOf"}, **real}, definitions)
    if "enum" in schema:
        return " \\| ".join(f"`{choice}`" if choice else '`""`' for choice in schema["enum"])
    if schema["type"] == "array":
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list{most}: {_type(schema['items'], definitions)}"
    if schema["type"] == "object":
        return f"mapping: {_type(schema['additionalProperties'], definitions)}"
    if schema["type"] == "string":
        return _string(schema)
    return " ".join([{"integer": "whole number"}.get(schema["type"], schema["type"]), *_bounds(schema)])


def _string(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "time"
    least = f"{schema['minLength']} to " if "minLength" in schema else "at most "
    return f"string of {least}{schema['maxLength']}" if "maxLength" in schema else "string"


def _bounds(schema: Schema) -> list[str]:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    return [f"{word} {schema[key]}" for key, word in words.items() if key in schema]


def _default(model: type[BaseModel], schema: Schema, field: str, inner: Schema) -> str:
    if field in schema.get("required", ()):
        return "required"
    value = inner.get("default")
    if value is None or value in ("", []) or isinstance(value, dict):
        return ""
    return code(value if isinstance(value, str) else json.dumps(value))
