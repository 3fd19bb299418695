"""CustomResourceDefinitions, generated from the models: structural, bounded, with columns and short names."""

from typing import Any

from pydantic import BaseModel

from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.model import GROUP

Schema = dict[str, Any]


STEP_RULE = {
    "rule": "(has(self.count) ? 1 : 0) + (has(self.percent) ? 1 : 0)"
    " + (has(self.matchLabels) && size(self.matchLabels) > 0 ? 1 : 0) == 1",
    "message": "a step takes exactly one of count, percent, matchLabels",
}
FROZEN_RULE = {"rule": "self == oldSelf", "message": "the spec is frozen at creation"}


def _inline(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Without $ref, titles and `anyOf: [X, null]`: what a structural schema may hold."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        found = _inline(
            {**definitions[name], **{k: v for k, v in schema.items() if k != "$ref"}}, definitions
        )
        if name == "WaveStep":
            found["x-kubernetes-validations"] = [STEP_RULE]
        return found
    if "anyOf" in schema:
        real = [part for part in schema["anyOf"] if part.get("type") != "null"]
        rest = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
        return _inline({**rest, **real[0]}, definitions)
    kept = {k: v for k, v in schema.items() if k not in ("title", "$defs", "additionalProperties", "const")}
    if kept.get("default", 0) is None:
        del kept["default"]
    elif isinstance(kept.get("default"), dict):
        # With a null in it the CRD can be created, and no change of it is ever accepted.
        kept["default"] = _without_nulls(kept["default"])
    if "properties" in kept:
        kept["properties"] = {k: _inline(v, definitions) for k, v in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _inline(kept["items"], definitions)
    # A bound that is itself outside is a number in JSON Schema, and a mark on the bound in Kubernetes' dialect.
    for bound, mark in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if mark in kept:
            kept[bound], kept[mark] = kept[mark], True
    if "description" in kept:
        kept["description"] = " ".join(str(kept["description"]).split())
    return kept


def schema_of(model: type[BaseModel]) -> Schema:
    """The structural schema of one model."""
    full = model.model_json_schema(by_alias=True, mode="validation")
    return _inline(full, full.get("$defs", {}))


def crd(kind: str) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    names = KINDS[kind]
    spec, status = schema_of(names.spec), schema_of(names.status)
    if names.frozen:
        spec["x-kubernetes-validations"] = [FROZEN_RULE]
    columns = [
        {"name": name, "type": kind_, "jsonPath": path, **({"priority": priority} if priority else {})}
        for name, kind_, path, priority in names.columns
    ]
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "required": ["spec"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"type": "object"},
                    "spec": spec,
                    "status": status,
                },
            }
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": names.resource},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": names.plural,
                "singular": kind.lower(),
                "shortNames": [names.short],
                "categories": ["netpol-canary"],
            },
            "versions": [version],
        },
    }


def files() -> dict[str, str]:
    """What config/crd holds, by file name."""
    import yaml

    found = {
        f"{names.plural}.yaml": yaml.safe_dump(crd(kind), sort_keys=False, width=100)
        for kind, names in KINDS.items()
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(found),
    }
    return {**found, "kustomization.yaml": yaml.safe_dump(kustomization, sort_keys=False)}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value
