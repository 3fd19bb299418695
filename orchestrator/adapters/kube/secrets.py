"""Credentials by reference: a Secret of the orchestrator's namespace, or a mounted directory."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.given_files import no_directory
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports import Cluster, Kind

SECRET = Kind("v1", "Secret")
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Secrets:
    """Where `directory` is given, `directory/NAME/KEY` takes the place of the Secret NAME."""

    cluster: Cluster
    namespace: str
    directory: Path | None = None

    def read(self, name: str, where: str) -> Mapping[str, bytes]:
        """The data of a Secret, nothing for an empty name. BadInput names the field that refers to it."""
        if not name:
            return {}
        if self.directory is not None and not self.directory.is_dir():
            raise no_directory(self.directory, "give --secrets one that holds NAME/KEY")
        if self.directory is not None and (self.directory / name).is_dir():
            return _folder(self.directory / name)
        try:
            found = self.cluster.get(SECRET, name, self.namespace)
        except NotFound:
            text = f"there is no Secret {name} in the namespace {self.namespace}"
            raise BadInput(text, where, "create it, or give --secrets") from None
        return {k: base64.b64decode(v) for k, v in (found.get("data") or {}).items()}


def _folder(path: Path) -> dict[str, bytes]:
    found = {}
    for item in sorted(path.iterdir()):
        if item.is_file() and not item.name.startswith("."):
            if item.stat().st_size > MOST_BYTES:
                raise BadInput("the file is larger than a Secret can be", str(item))
            found[item.name] = item.read_bytes()
    return found
