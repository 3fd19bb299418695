"""What is installed: the manifests of config/, in the order in which they are applied, with one image for all.

They are read as they stand; config/ is written so that nothing else of kustomize is needed to install it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import BadInput

Manifest = dict[str, Any]
IMAGE = "netpol-canary"  # what config/ says where the image goes
TAG = "netpol-canary:0.1.0"
DEFAULT = "default"
EXTRAS = ("argo", "archive", "monitoring", "network", "podlabels")
KINDS = "kinds"  # a file for each kind of policy that may be written beside NetworkPolicies
POLICY = "netpol-canary-probe-images"  # the admission policy that holds the images of probes
LOCAL = "config.kubernetes.io/local-config"  # kustomize builds with it and leaves it out
# A reference to an image is nothing that ends a text of CEL (distribution's reference grammar, without its lengths).
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,1023}")
ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "NetworkPolicy",  # before the pods that they are for: none starts without a way to the API server
)


def root() -> Path:
    """The directory config/: inside the installed package, or in a checkout."""
    here = Path(__file__).parents[2]
    found = next((p for p in (here / "config", here.parent / "config") if (p / DEFAULT).is_dir()), None)
    if found is None:
        raise BadInput("the manifests of config/ are not part of this installation", str(here))
    return found


def bundle(image: str = TAG, extras: Sequence[str] = (), probes: Sequence[str] = ()) -> list[Manifest]:
    """config/default, some of EXTRAS, and files of KINDS by their names; each object once, what others need first.

    `probes` are images that probe pods may run besides. Raises BadInput for what is no image.
    """
    for name in (image, *probes):
        if not _IMAGE.fullmatch(name):
            raise BadInput(
                f"{name[:80]!r} is no image", hint="give one such as registry.example.com/name:tag"
            )
    known = [*(e for e in EXTRAS if (root() / e).is_dir()), *kinds()]
    if wrong := next((e for e in extras if e not in known), ""):
        raise BadInput(f"there is no part {wrong!r}", "--with", f"take of {', '.join(known)}")
    return collected((DEFAULT, *extras), image, probes)


def kinds() -> list[str]:
    """The names of the files of KINDS."""
    listed = yaml.safe_load((root() / KINDS / "kustomization.yaml").read_text())
    return [Path(name).stem for name in listed["resources"]]


def collected(parts: Sequence[str], image: str = TAG, probes: Sequence[str] = ()) -> list[Manifest]:
    """The objects of some directories of config/, and files of KINDS, in their order; a directory that is not there has none."""
    found: dict[tuple[str, str, str], Manifest] = {}
    for part in parts:
        folder, file = root() / part, root() / KINDS / f"{part}.yaml"
        for obj in _base(folder) if folder.is_dir() else _file(file) if file.is_file() else ():
            meta = obj["metadata"]
            mine = _listing(_with(obj, image), image, probes)
            found.setdefault((obj["kind"], meta.get("namespace", ""), meta["name"]), mine)
    last = len(ORDER)
    place = {kind: number for number, kind in enumerate(ORDER)}
    return sorted(found.values(), key=lambda obj: place.get(obj["kind"], last))


def _base(folder: Path) -> Iterator[Manifest]:
    """The resources of a kustomization, those of others that it names included."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in listed.get("resources") or []:
        path = folder / name
        if path.is_dir():
            found = list(_base(path.resolve()))
        else:
            found = list(_file(path))
        if listed.get("namespace"):
            found = [_in(listed["namespace"], obj) for obj in found]
        yield from found


def _file(path: Path) -> Iterator[Manifest]:
    yield from (d for d in yaml.safe_load_all(path.read_text()) if d and not _local(d))


def _in(namespace: str, obj: Manifest) -> Manifest:
    """As kustomize's `namespace` places it, but for kinds of the whole cluster, which no such base here has."""
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def _local(obj: Manifest) -> bool:
    return (obj["metadata"].get("annotations") or {}).get(LOCAL) == "true"


def _listing(obj: Manifest, image: str, probes: Sequence[str]) -> Manifest:
    """The policy that says which images probes run, with these in it; anything else as it is."""
    if obj["kind"] != "ValidatingAdmissionPolicy" or obj["metadata"]["name"] != POLICY:
        return obj
    told = {"own": f"'{image}'", "more": "[" + ", ".join(f"'{name}'" for name in probes) + "]"}
    variables = [{**v, "expression": told.get(v["name"], v["expression"])} for v in obj["spec"]["variables"]]
    return {**obj, "spec": {**obj["spec"], "variables": variables}}


def _with(value: Any, image: str) -> Any:
    """Every image, and every variable that names one."""
    if isinstance(value, list):
        return [_with(item, image) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: image if v == IMAGE and k in ("image", "value") else _with(v, image) for k, v in value.items()}
