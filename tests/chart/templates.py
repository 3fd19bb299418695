"""The templates: the objects of config/ file by file, with values where the chart's users choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from chart import fields, removal
from chart.holes import Holes
from chart.values import KINDS
from orchestrator.adapters.kube.bundle import Manifest, collected, root

HEAD = (
    '{{/* Written from config/ by "make chart": change it there, and where values go in tests/chart. */}}\n'
)
# Each base of config/ that is installed, and the value that says whether it is.
PARTS: Mapping[str, str] = {
    "crd": "crds.enabled",
    "rbac": "",
    "admission": "admission.enabled",
    "manager": "",
    "guard": "guard.enabled",
    "argo": "argo.enabled",
    "archive": "archive.enabled",
    "monitoring": "monitoring.enabled",
    "network": "network.enabled",
    "impersonation": "impersonation.enabled",
    "podlabels": "podLabels.enabled",
    "kinds": "",  # a value for each file
}
KEEP = {"helm.sh/resource-policy": "keep"}
# What holds the record of rollouts, and their `before`.
KEPT = ("CustomResourceDefinition", "Namespace", "PersistentVolumeClaim")
OWN_SPACE = """\
{{- $space := lookup "v1" "Namespace" "" "netpol-canary" }}
{{- if or (not $space) (eq "Helm" (dig "metadata" "labels" "app.kubernetes.io/managed-by" "" $space)) }}
"""


def written(holes: Holes, defaults: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each template's path below templates/ with its text; what config/ says of a value goes into `defaults`."""
    images = fields.Images(holes)
    for part, switch in PARTS.items():
        files = _places(part)
        found: dict[str, list[Manifest]] = {}
        for obj in collected((part,), images.TOKEN, (images.PROBES,)):
            found.setdefault(files[_name(obj)], []).append(_ours(holes, obj, defaults, images))
        for file, objects in found.items():
            yield f"{part}/{file}", HEAD + _switched(holes.filled(objects), _condition(part, file, switch))
    archive = next(o for o in collected(("archive",), images.TOKEN) if o["kind"] == "CronJob")
    checks = removal.hooks(images.set(archive), holes)
    yield "uninstall.yaml", HEAD + holes.filled(checks)


def _ours(holes: Holes, obj: Manifest, defaults: dict[str, Any], images: fields.Images) -> Manifest:
    obj = images.set(obj)
    meta = obj["metadata"]
    if obj["kind"] in KEPT:
        meta["annotations"] = {**meta.get("annotations", {}), **KEEP}
    fields.place(holes, obj, defaults)
    return obj


def _condition(part: str, file: str, switch: str) -> str:
    if (part, file) == ("rbac", "namespace.yaml"):
        return OWN_SPACE
    if part == "kinds":
        switch = next(value for value in KINDS if value.lower() == f"kinds.{file.removesuffix('.yaml')}")
    return f"{{{{- if .Values.{switch} }}}}\n" if switch else ""


def _switched(text: str, condition: str) -> str:
    return f"{condition}{text}{{{{- end }}}}\n" if condition else text


def _places(part: str) -> dict[tuple[str, str], str]:
    """In which file each object of a base stands."""
    found = {}
    for file in sorted((root() / part).glob("*.yaml")):
        if file.name != "kustomization.yaml":
            for obj in yaml.safe_load_all(file.read_text()):
                found.setdefault(_name(obj), Path(file).name)
    return found


def _name(obj: Manifest) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]
