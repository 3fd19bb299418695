"""A version stands in several files: whether they say the same, and what a tag would be refused for."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
TAG = re.compile(r"v(\d+\.\d+\.\d+)")


def stated(root: Path = ROOT) -> dict[str, str]:
    """Version by the file that states it; that of the next one to go out, without what says that it is in the making."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    package = re.search(r'^__version__ = "(.+)"$', (root / "orchestrator/__init__.py").read_text(), re.M)
    chart = yaml.safe_load((root / "charts/netpol-canary/Chart.yaml").read_text())
    image = yaml.safe_load((root / "config/image/kustomization.yaml").read_text())["images"]
    return {
        "pyproject.toml": _final(project),
        "orchestrator/__init__.py": _final(package[1] if package else ""),
        "Chart.yaml version": chart["version"],
        "Chart.yaml appVersion": chart["appVersion"],
        "config/image": image[0]["newTag"],
    }


def _final(version: str) -> str:
    return re.sub(r"\.dev\d+$", "", version)


def notes(version: str, root: Path = ROOT) -> str:
    """What the changelog says of a version; empty where it has no part of its own."""
    parts = re.split(r"^## ", (root / "CHANGELOG.md").read_text(), flags=re.M)[1:]
    found = (p.partition("\n") for p in parts)
    return next((text.strip() for head, _, text in found if re.split(r"[\s,(]", head)[0] == version), "")


def differing(root: Path = ROOT) -> list[str]:
    """What states another version than pyproject.toml, each as a line."""
    known = stated(root)
    first = known["pyproject.toml"]
    return [f"{name} says {said}, pyproject.toml {first}" for name, said in known.items() if said != first]


def refusals(tag: str, root: Path = ROOT) -> list[str]:
    """Why nothing may go out by this tag; nothing where it may."""
    match = TAG.fullmatch(tag)
    if match is None:
        return [f"{tag} is no tag of a version, such as v0.1.0"]
    version, found = match[1], differing(root)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    if project != version:
        found.append(f"the tag says {version}, pyproject.toml {project}")
    if not notes(version, root):
        found.append(f"CHANGELOG.md has no part ## {version}")
    return found
