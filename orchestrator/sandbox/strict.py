"""What an API server refuses of an object before it stores it: by the schemas of config/crd for our kinds, by its metadata for all.

The schemas are compiled once a kind. Of the CRDs' CEL rules only the frozen spec is held, in `thawed`; defaults are not
filled in, the models have them. Strict as a request with fieldValidation=Strict is: unknown fields are refused.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from pydantic_core import SchemaValidator, ValidationError, core_schema

from orchestrator.policy.files.shape import shown
from orchestrator.policy.schemas.fields import dns_label, dns_name, label_key, label_value
from orchestrator.rollout.resources.crd import crd
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.model import API_VERSION
from orchestrator.rollout.resources.weight import weight

MOST_ANNOTATIONS = 256 << 10  # bytes of all annotations of an object (TotalAnnotationSizeLimitB)
MOST_OBJECT = 3 << 19  # bytes that etcd stores of one object; twice that may be sent
MOST_TOLD = 10
# RFC 3339, as the format date-time of a CRD.
_TIME = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"
_FINALIZER = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def refused(obj: Mapping[str, Any]) -> list[str]:
    """What an API server with our CRDs refuses in an object of ours, as `path: why`; of other kinds in its metadata."""
    found = list(islice(_metadata(obj), MOST_TOLD))
    if obj.get("apiVersion") == API_VERSION and obj.get("kind") in KINDS:
        found += _misfit(_compiled(str(obj["kind"])), obj)
        size = weight(obj)
        if size > MOST_OBJECT:
            found.append(f"the object: has {size} bytes, more than {MOST_OBJECT}")
    return found


def thawed(obj: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether a spec that is frozen at creation would change."""
    ours = obj.get("apiVersion") == API_VERSION and obj.get("kind") in KINDS
    return ours and KINDS[str(obj["kind"])].frozen and obj.get("spec") != old.get("spec")


@cache
def _compiled(kind: str) -> SchemaValidator:
    whole = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return SchemaValidator(_core(whole))


def _misfit(validator: SchemaValidator, obj: Mapping[str, Any]) -> list[str]:
    try:
        validator.validate_python(obj)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[:MOST_TOLD]
        return [f"{'.'.join(map(str, item['loc'])) or 'the object'}: {item['msg']}" for item in wrong]
    return []


def _core(schema: Mapping[str, Any]) -> core_schema.CoreSchema:
    """A structural schema as pydantic's core checks it."""
    if "enum" in schema:
        return core_schema.literal_schema(schema["enum"])
    kind = schema["type"]
    if kind == "object":
        return _mapping(schema)
    if kind == "array":
        bounds = {"min_length": schema.get("minItems"), "max_length": schema.get("maxItems")}
        return core_schema.list_schema(_core(schema["items"]), strict=True, **bounds)
    if kind == "boolean":
        return core_schema.bool_schema(strict=True)
    if kind == "string":
        pattern = _TIME if schema.get("format") == "date-time" else schema.get("pattern")
        bounds = {"min_length": schema.get("minLength"), "max_length": schema.get("maxLength")}
        return core_schema.str_schema(strict=True, pattern=pattern, **bounds)
    low, high = schema.get("minimum"), schema.get("maximum")
    limits: dict[str, Any] = {
        "gt" if schema.get("exclusiveMinimum") else "ge": low,
        "lt" if schema.get("exclusiveMaximum") else "le": high,
    }
    if kind == "integer":
        return core_schema.int_schema(strict=True, **limits)
    return core_schema.float_schema(strict=True, allow_inf_nan=False, **limits)


def _mapping(schema: Mapping[str, Any]) -> core_schema.CoreSchema:
    if "properties" not in schema:
        return core_schema.dict_schema(core_schema.str_schema(strict=True), strict=True)
    required = schema.get("required", ())
    fields = {
        # An API server drops null where a field may not be null.
        name: core_schema.typed_dict_field(
            core_schema.nullable_schema(_core(part)) if name not in required else _core(part),
            required=name in required,
        )
        for name, part in schema["properties"].items()
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid", strict=True)


def _metadata(obj: Mapping[str, Any]) -> Iterator[str]:
    meta = obj["metadata"]
    check = {"Namespace": dns_label}.get(str(obj.get("kind")), dns_name)
    if not str(obj.get("apiVersion")).startswith("rbac."):
        yield from _wrong(check, meta["name"], "metadata.name")
    if meta.get("namespace"):
        yield from _wrong(dns_label, meta["namespace"], "metadata.namespace")
    for key, value in (meta.get("labels") or {}).items():
        yield from _wrong(label_key, key, "metadata.labels")
        yield from _wrong(label_value, value, f"metadata.labels.{shown(key)}")
    yield from _annotations(meta.get("annotations") or {})
    for text in meta.get("finalizers") or []:
        if not _FINALIZER.fullmatch(text):
            yield f'metadata.finalizers: "{shown(text)}" is no name'


def _annotations(found: Mapping[str, str]) -> Iterator[str]:
    for key, value in found.items():
        yield from _wrong(label_key, key.lower(), "metadata.annotations")
        if not isinstance(value, str):
            yield f"metadata.annotations.{shown(key)}: must be text"
    size = sum(len(str(part).encode()) for item in found.items() for part in item)
    if size > MOST_ANNOTATIONS:
        yield f"metadata.annotations: have {size} bytes together, more than {MOST_ANNOTATIONS}"


@lru_cache(4096)
def _wrong(check: Any, value: Any, path: str) -> tuple[str, ...]:
    return tuple(check(value, path) if isinstance(value, str) else (f"{path}: must be text",))
