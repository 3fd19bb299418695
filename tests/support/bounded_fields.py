"""Every bound of our resources' fields, read off their schemas, and values that go beyond one.

A path is a tuple of field names, with 0 for the item of a list.
"""

import copy
from dataclasses import dataclass

from orchestrator.rollout.resources.crd import schema_of
from orchestrator.rollout.resources.resource import MODELS

SPEC, STATUS = 0, 1
NOW = "2026-01-01T00:00:00Z"
# What a validator of ours asks for beyond the schema.
KNOWN = {"schedule": "0 0 * * *", "timeZone": "UTC", "repository": "a/b", "host": "github", "events": "all"}
UPPER = {"maxLength", "maxItems", "maximum"}
LOWER = {"minLength", "minItems", "minimum"}


@dataclass(frozen=True)
class Bound:
    """`word` is the schema's, such as maxLength; `schema` that of the field."""

    path: tuple
    word: str
    limit: object
    schema: dict

    def __str__(self):
        return f"{'.'.join(map(str, self.path))} {self.word} {self.limit}"


def bounds(kind, part):
    """All of a kind's spec or status."""
    return list(_walk(schema_of(MODELS[kind][part]), ()))


def _walk(schema, path):
    for word in sorted(UPPER | LOWER | {"pattern"}):
        if word in schema:
            yield Bound(path, word, schema[word], schema)
    for name, child in schema.get("properties", {}).items():
        yield from _walk(child, (*path, name))
    if "items" in schema:
        yield from _walk(schema["items"], (*path, 0))


def sample(schema, name=""):
    """A good value, with one item in every list."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {n: sample(child, n) for n, child in schema.get("properties", {}).items()}
    if schema["type"] == "array":
        return [sample(schema["items"], name)] if schema.get("maxItems") else []
    if schema["type"] == "boolean":
        return False
    if schema["type"] == "string":
        return NOW if schema.get("format") == "date-time" else KNOWN.get(name, "1")
    low = schema.get("minimum", 0)
    return low + 1 if schema.get("exclusiveMinimum") and schema["type"] == "integer" else max(low, 0.25) if (
        schema["type"] == "number"
    ) else low  # fmt: skip


def whole(kind, part):
    """A good spec or status with everything in it."""
    return sample(schema_of(MODELS[kind][part]))


def beyond(bound, data, over=1, letter="x"):
    """The data with a value that is so far beyond the bound."""
    found = copy.deepcopy(data)
    place = found
    for step in bound.path[:-1]:
        place = place[step]
    place[bound.path[-1]] = _wrong(bound, place[bound.path[-1]], over, letter)
    return found


def _wrong(bound, good, over, letter):
    if bound.word == "maxLength":
        return letter * (bound.limit + over)
    if bound.word == "maxItems":
        return [copy.deepcopy(good[0]) for _ in range(bound.limit + over)]
    if bound.word in ("minLength", "minItems"):
        return good[:0]
    if bound.word == "pattern":
        return "\n" + "no such thing"
    return bound.limit + over if bound.word == "maximum" else bound.limit - over


def at(data, path):
    """What stands there."""
    for step in path:
        data = data[step]
    return data
