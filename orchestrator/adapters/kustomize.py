"""Build the kustomizations of a commit; whatever is not in the commit is refused before anything runs."""

from __future__ import annotations

import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import BadInput

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MOST_FILES = 1_000
_REFUSED = {
    "helmCharts": "helm charts",
    "helmChartInflationGenerator": "helm charts",
    "helmGlobals": "helm charts",
    "generators": "generator plug-ins",
    "transformers": "transformer plug-ins",
    "validators": "validator plug-ins",
}
_REMOTE = re.compile(r"\w+://|[\w.-]+@[\w.-]+:|[\w-]+(\.[\w-]+)+/[^/]+/|.*\?(ref|version|timeout)=")
_LISTS = ("resources", "bases", "components", "crds", "configurations", "patchesStrategicMerge")
Elsewhere = Callable[[str], bytes | None]


def built(
    files: dict[str, bytes], prefix: str, elsewhere: Elsewhere, program: Sequence[str], timeout: float
) -> dict[str, bytes]:
    """The files, with each kustomized folder (the root, or one below it) replaced by what it builds."""
    folders = {posixpath.dirname(p) for p in files if posixpath.basename(p) in NAMES and p.count("/") <= 1}
    if "" in folders:
        folders = {""}
    for folder in sorted(folders):
        root = posixpath.normpath(posixpath.join(prefix, folder)) if prefix or folder else "."
        tree = _Tree({prefix + p: c for p, c in files.items()}, elsewhere)
        tree.reach(root, ())
        text = _build(tree.reached, root, program, timeout)
        inside = f"{folder}/" if folder else ""
        files = {p: c for p, c in files.items() if not p.startswith(inside)}
        files[f"{inside}kustomization.yaml"] = text
    return files


class _Tree:
    """The files that a kustomization reaches within the commit."""

    def __init__(self, known: Mapping[str, bytes], elsewhere: Elsewhere) -> None:
        self._known, self._elsewhere = known, elsewhere
        self.reached: dict[str, bytes] = {}

    def _file(self, path: str) -> bytes | None:
        return self._known[path] if path in self._known else self._elsewhere(path)

    def reach(self, folder: str, above: tuple[str, ...]) -> None:
        """Raises BadInput for what the commit alone does not decide."""
        where, body = self._kustomization(folder)
        if folder in above or len(above) > 20:
            raise BadInput("the kustomizations include each other", where)
        for name, what in _REFUSED.items():
            if name in body:
                raise BadInput(f"{what} ({name}) are refused: the commit alone decides the content", where)
        for entry in _paths(body):
            self._entry(entry, folder, where, above)

    def _entry(self, entry: str, folder: str, where: str, above: tuple[str, ...]) -> None:
        line = next((i for i, t in enumerate(self.reached[where].decode().splitlines(), 1) if entry in t), 1)
        if "\n" in entry:
            return
        if _REMOTE.match(entry) and self._file(posixpath.join(folder, entry)) is None:
            text = f"the remote base {entry} is refused: the commit alone decides the content"
            raise BadInput(text, f"{where}:{line}", "commit what it holds")
        path = posixpath.normpath(posixpath.join(folder, entry))
        if path.startswith(("../", "/")) or path == "..":
            raise BadInput(f"{entry} leads out of the repository", f"{where}:{line}")
        content = self._file(path)
        if content is not None:
            self._keep(path, content)
        elif any(self._file(posixpath.join(path, n)) is not None for n in NAMES):
            self.reach(path, (*above, folder))
        else:
            raise BadInput(f"{entry} is not in the commit", f"{where}:{line}")

    def _kustomization(self, folder: str) -> tuple[str, dict[str, Any]]:
        for name in NAMES:
            path = posixpath.normpath(posixpath.join(folder, name))
            content = self._file(path)
            if content is not None:
                self._keep(path, content)
                try:
                    body = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
                except yaml.YAMLError as error:
                    mark = getattr(error, "problem_mark", None)
                    raise BadInput("not YAML", f"{path}:{mark.line + 1}" if mark else path) from None
                if not isinstance(body, dict):
                    raise BadInput("a kustomization is a mapping", path)
                return path, body
        raise BadInput("there is no kustomization", folder)

    def _keep(self, path: str, content: bytes) -> None:
        self.reached[path] = content
        if len(self.reached) > MOST_FILES:
            raise BadInput(f"the kustomization reaches more than {MOST_FILES} files", path)


def _paths(body: Mapping[str, Any]) -> list[str]:
    """Every file or folder that a kustomization names."""
    found = [str(e) for name in _LISTS for e in body.get(name) or []]
    for name in ("patches", "patchesJson6902", "replacements"):
        found += [str(p["path"]) for p in body.get(name) or [] if isinstance(p, dict) and p.get("path")]
    if isinstance(body.get("openapi"), dict) and body["openapi"].get("path"):
        found.append(str(body["openapi"]["path"]))
    for name in ("configMapGenerator", "secretGenerator"):
        for item in body.get(name) or []:
            for part in ("files", "envs"):
                found += [str(e).split("=", 1)[-1] for e in item.get(part) or []]
            found += [str(item["env"])] if item.get("env") else []
    return found


def _build(tree: Mapping[str, bytes], root: str, program: Sequence[str], timeout: float) -> bytes:
    command = list(program)
    if not command:
        command = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if shutil.which(command[0]) is None:
        raise BadInput("a kustomization needs the kustomize or the kubectl program", root, "install one")
    with tempfile.TemporaryDirectory(prefix="netpol-canary-kustomize-") as scratch:
        for path, content in tree.items():
            target = Path(scratch, "tree", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        folder = str(Path(scratch, "tree", root))
        try:
            done = subprocess.run(
                [*command, folder],
                capture_output=True,
                timeout=timeout,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": scratch},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BadInput(f"the kustomization took longer than {timeout:g} s", root) from None
    if done.returncode:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise BadInput(f"kustomize says: {said.replace(scratch, '')}", root)
    return done.stdout
