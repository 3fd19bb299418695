"""CustomResourceDefinitions, generated from the models: structural, bounded, with columns and short names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from orchestrator.rollout.resources.model import GROUP
from orchestrator.rollout.resources.resource import MODELS

Schema = dict[str, Any]


@dataclass(frozen=True)
class Names:
    """How a kind is called, and its printer columns as (name, type, JSON path, priority)."""

    plural: str
    short: str
    columns: tuple[tuple[str, str, str, int], ...]
    frozen: bool = True


AGE = ("Age", "date", ".metadata.creationTimestamp", 0)
NAMES: dict[str, Names] = {
    "PolicySource": Names(
        "policysources",
        "psrc",
        (
            ("URL", "string", ".spec.git.url", 0),
            ("Branch", "string", ".spec.git.branch", 0),
            ("Current", "string", ".status.currentRevision", 0),
            ("Active", "string", ".status.activeRollout", 0),
            ("Blocked", "string", ".status.blockedRevision", 1),
            ("Orphaned", "string", '.status.conditions[?(@.type=="Orphaned")].status', 0),
            AGE,
        ),
        frozen=False,
    ),
    "PolicyRollout": Names(
        "policyrollouts",
        "prol",
        (
            ("Source", "string", ".spec.source", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Wave", "integer", ".status.wave", 0),
            ("Waiting", "string", ".status.pausedFor", 0),
            ("Revision", "string", ".spec.revision", 1),
            ("Reason", "string", ".status.reason", 1),
            AGE,
        ),
    ),
    "NamespaceRollout": Names(
        "namespacerollouts",
        "nsrol",
        (
            ("Rollout", "string", ".spec.rollout", 0),
            ("Wave", "integer", ".spec.wave", 0),
            ("Namespace", "string", ".spec.namespace", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Restored-Seconds", "number", ".status.restoredSeconds", 1),
            AGE,
        ),
    ),
    "WaveAnalysis": Names(
        "waveanalyses",
        "wan",
        (
            ("Rollout", "string", ".spec.rollout", 0),
            ("Wave", "integer", ".spec.wave", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Reason", "string", ".status.reason", 1),
            AGE,
        ),
    ),
    "RolloutApproval": Names(
        "rolloutapprovals",
        "rappr",
        (
            ("Rollout", "string", ".spec.rollout", 0),
            ("Wave", "integer", ".spec.wave", 0),
            ("Decision", "string", ".spec.decision", 0),
            ("User", "string", ".spec.user", 0),
            ("Break-Glass", "boolean", ".spec.breakGlass", 1),
            AGE,
        ),
    ),
    "RolloutFreeze": Names(
        "rolloutfreezes",
        "rfrz",
        (
            ("Sources", "string", ".spec.sources", 0),
            ("From", "string", ".spec.from", 0),
            ("Until", "string", ".spec.until", 0),
            ("User", "string", ".spec.user", 0),
            ("Reason", "string", ".spec.reason", 0),
            AGE,
        ),
        frozen=False,
    ),
}
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
    names = NAMES[kind]
    spec_model, status_model = MODELS[kind]
    spec, status = schema_of(spec_model), schema_of(status_model)
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
        "metadata": {"name": f"{names.plural}.{GROUP}"},
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
        f"{NAMES[kind].plural}.yaml": yaml.safe_dump(crd(kind), sort_keys=False, width=100) for kind in MODELS
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
