"""The manifest by which krew installs the kubectl plugin: one archive for each platform, known by its hash."""

import hashlib
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

NAME = "netpol-canary"
PROGRAM = "kubectl-netpol_canary"
PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def here() -> str:
    """The platform at hand, in krew's words."""
    return f"{platform.system().lower()}_{_ARCHITECTURES[platform.machine().lower()]}"


def archive_name(tag: str, place: str) -> str:
    return f"{PROGRAM}_{tag}_{place}.tar.gz"


def manifest(tag: str, address: str, archives: Iterable[Path]) -> dict[str, Any]:
    """Of the archives of one tag, which can be fetched below the address. Raises ValueError for one of another name."""
    given = {a.name: a for a in archives}
    names = {archive_name(tag, place): place for place in PLATFORMS}
    if unknown := sorted(given.keys() - names.keys()):
        raise ValueError(f"no archive of {tag}: {', '.join(unknown)}")
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": tag,
            "homepage": "https://netpol-canary.dev/",
            "shortDescription": "Canary rollouts of network policies",
            "description": "Rolls out Kubernetes network policy changes from Git, namespace by namespace, and rolls them\n"
            "back when they hurt. The plugin is the whole command line: it asks the cluster, and reads\n"
            "directories of policies without one.\n",
            "caveats": "It needs git on the PATH, and kubectl where policies are a kustomization.\n",
            "platforms": [_platform(address, given[n], names[n]) for n in names if n in given],
        },
    }


def _platform(address: str, archive: Path, place: str) -> dict[str, Any]:
    system, _, architecture = place.partition("_")
    return {
        "selector": {"matchLabels": {"os": system, "arch": architecture}},
        "uri": f"{address.rstrip('/')}/{archive.name}",
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "files": [{"from": "*", "to": "."}],
        "bin": PROGRAM,
    }


def write(to: Path, tag: str, address: str, archives: Iterable[Path]) -> None:
    to.write_text(yaml.safe_dump(manifest(tag, address, archives), sort_keys=False, width=120))
