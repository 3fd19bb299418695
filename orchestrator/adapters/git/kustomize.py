"""Build the kustomizations of a commit; whatever is not in the commit is refused before anything runs."""

import os
import posixpath
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from orchestrator.adapters import contained
from orchestrator.adapters.git.tree_names import within
from orchestrator.errors import BadInput, RepositoryError
from orchestrator.policy.files.yaml_text import documents

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MOST_FILES = 1_000
MOST_BYTES = 32 * 1024 * 1024
MOST_OUTPUT = 8 * 1024 * 1024
MOST_MEMORY = 128 * 1024 * 1024
MOST_DATA = 256 * 1024 * 1024
_TURNS = threading.BoundedSemaphore(2)
_ENDED = {
    "time": "the kustomization took longer than {:g} s",
    "output": f"the kustomization builds more than {MOST_OUTPUT >> 20} MiB",
    "memory": f"the kustomization takes more than {MOST_MEMORY >> 20} MiB of memory",
    "processes": "the kustomization starts too many processes",
}
_ALONE = "refused: the commit alone decides the content"
_HELM = {"helmcharts", "helmchartinflationgenerator", "helmglobals"}
_REFUSED = {*_HELM, "generators", "transformers", "validators"}
# The fields that name files or folders: () where they are strings, else the keys that hold them.
_PLACES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("resources", "bases", "components", "crds", "configurations"), ()),
    **dict.fromkeys(("patches", "patchesjson6902", "replacements", "openapi"), ("path",)),
    **dict.fromkeys(("configmapgenerator", "secretgenerator"), ("files", "envs", "env")),
    "patchesstrategicmerge": (),
}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST = re.compile(r"github\.com(/|$)|.*(@|\?|//|\.git($|/)|_git/)", re.IGNORECASE)
_HOSTLIKE = re.compile(r"[\w-]+(\.[\w-]+)+/[^/]+/")
_TAGS = {f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Elsewhere = Callable[[str], bytes | None]


def built(
    files: Mapping[str, bytes], prefix: str, elsewhere: Elsewhere, program: Sequence[str], timeout: float
) -> dict[str, bytes]:
    """The files, with each kustomized folder (the root, or one below it) replaced by what it builds.

    `prefix` leads from the repository's root to the files, `elsewhere` reads any file of the commit.
    """
    found = dict(files)
    for folder, tree in _trees(files, prefix, elsewhere):
        inside = f"{folder}/" if folder else ""
        found = {p: c for p, c in found.items() if not p.startswith(inside)}
        found[f"{inside}kustomization.yaml"] = _build(tree, _join(prefix, folder), program, timeout)
    return found


def outside(files: Mapping[str, bytes], prefix: str, elsewhere: Elsewhere) -> list[str]:
    """The files outside the prefix that its kustomizations reach, from the repository's root."""
    reached = {p for _, tree in _trees(files, prefix, elsewhere) for p in tree}
    return sorted(p for p in reached if not p.startswith(prefix))


def _trees(
    files: Mapping[str, bytes], prefix: str, elsewhere: Elsewhere
) -> Iterator[tuple[str, dict[str, bytes]]]:
    folders = {posixpath.dirname(p) for p in files if posixpath.basename(p) in NAMES and p.count("/") <= 1}
    known = {prefix + p: c for p, c in files.items()}
    for folder in sorted({""} if "" in folders else folders):
        tree = _Tree(known, elsewhere)
        tree.reach(_join(prefix, folder), ())
        yield folder, tree.reached


def _join(folder: str, entry: str) -> str:
    return posixpath.normpath(posixpath.join(folder, entry))


class _Tree:
    """The files that a kustomization reaches within the commit."""

    def __init__(self, known: Mapping[str, bytes], elsewhere: Elsewhere) -> None:
        self._known: dict[str, bytes | None] = dict(known)
        self._elsewhere, self._visits = elsewhere, 0
        self.reached: dict[str, bytes] = {}

    def _file(self, path: str) -> bytes | None:
        if path not in self._known:
            self._known[path] = self._elsewhere(path)
        return self._known[path]

    def reach(self, folder: str, above: tuple[str, ...]) -> None:
        """Raises BadInput for what the commit alone does not decide."""
        names = [path for path in (_join(folder, n) for n in NAMES) if self._file(path) is not None]
        if len(names) > 1:
            raise BadInput("there is more than one kustomization", names[1], "keep one of them")
        self._visits += 1
        # kustomize builds a folder once for each way that leads to it: without a bound, 2^n times.
        if folder in above or len(above) > 20 or self._visits > MOST_FILES:
            raise BadInput("the kustomizations include each other, or too many", names[0])
        content = self._file(names[0]) or b""
        self._keep(names[0], content)
        for entry, where in _entries(content, names[0]):
            self._entry(entry, folder, where, (*above, folder))

    def _entry(self, entry: str, folder: str, where: str, above: tuple[str, ...]) -> None:
        path = _join(folder, entry)
        content = None if _SCHEME.match(entry) or not entry else self._file(path)
        if content is not None:
            return self._keep(path, content)
        if path.startswith(("../", "/")) or path == "..":
            raise BadInput(f"{entry} leads out of the repository", where)
        remote = bool(_SCHEME.match(entry) or _HOST.match(entry))
        if not remote and any(self._file(_join(path, n)) is not None for n in NAMES):
            return self.reach(path, above)
        if remote or _HOSTLIKE.match(entry):
            bare = re.sub(r"[^/@]*@|\?.*", "", entry)  # neither userinfo nor a query is repeated
            raise BadInput(f"the remote base or file {bare} is {_ALONE}", where, "commit what it holds")
        raise BadInput(f"{entry} is not in the commit", where)

    def _keep(self, path: str, content: bytes) -> None:
        self.reached[path] = content
        if len(self.reached) > MOST_FILES:
            raise BadInput(f"the kustomization reaches more than {MOST_FILES} files", path)
        if sum(map(len, self.reached.values())) > MOST_BYTES:
            raise BadInput(f"the kustomization reaches more than {MOST_BYTES >> 20} MiB", path)


def _entries(content: bytes, path: str) -> Iterator[tuple[str, str]]:
    """Every file or folder that a kustomization names, and at which `file:line`."""
    list(documents(content, path))  # within the bounds, and with anchors that end
    try:
        root = yaml.compose(content, Loader=_LOADER)
        if not isinstance(root, yaml.MappingNode):
            raise BadInput("a kustomization is a mapping", path)
        _plain(root, path, set())
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadInput("not YAML", f"{path}:{mark.line + 1}" if mark else path) from None
    for name, value in _fields(root):
        if name in _REFUSED:
            raise BadInput(
                f"{'helm charts' if name in _HELM else 'plug-ins'} ({name}) are {_ALONE}", _line(value, path)
            )
        for key, node in _named(value, _PLACES.get(name)):
            text = str(node.value)
            if not isinstance(node, yaml.ScalarNode):
                raise BadInput(f"{name} names files and folders", _line(node, path))
            if node.tag.endswith(":null") or (name == "patchesstrategicmerge" and "\n" in text):
                continue  # a patch may stand in the list itself
            yield text.split("=", 1)[-1] if key == "files" else text, _line(node, path)


def _line(node: yaml.Node, path: str) -> str:
    return f"{path}:{node.start_mark.line + 1}"


def _fields(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    # kustomize takes `Resources` and even `re\u017fources` for `resources`, and so does casefold().
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return [(str(key.value).casefold(), value) for key, value in pairs]


def _named(value: yaml.Node, keys: Collection[str] | None) -> Iterator[tuple[str, yaml.Node]]:
    if keys is None:
        return
    for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
        if not keys:
            yield "", item
        for key, inner in _fields(item):
            if key in keys:
                yield from ((key, node) for _, node in _named(inner, ()))


def _plain(node: yaml.Node, path: str, seen: set[int]) -> None:
    """Refuses YAML that this reader and kustomize's might take for different things."""
    if node.tag not in _TAGS:
        raise BadInput("YAML tags and merges are not taken", _line(node, path), "write it out")
    if id(node) in seen:  # by an anchor
        return
    seen.add(id(node))
    children = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    for child in children:
        _plain(child, path, seen)


def _build(tree: Mapping[str, bytes], root: str, program: Sequence[str], timeout: float) -> bytes:
    command = list(program)
    if not command:
        command = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if shutil.which(command[0]) is None:
        raise BadInput("a kustomization needs the kustomize or the kubectl program", root, "install one")
    with tempfile.TemporaryDirectory(prefix="netpol-canary-kustomize-") as name:
        scratch = Path(name)
        _write(tree, scratch / "tree")
        try:
            with _turn(timeout):
                done = contained.run(
                    [*command, str(scratch / "tree" / root)],
                    contained.Limits(timeout, MOST_OUTPUT, MOST_MEMORY, MOST_DATA, MOST_BYTES),
                    _environment(scratch),
                    folder=scratch,
                )
        except OSError as error:
            raise BadInput(f"{command[0]} does not run: {error.strerror}", root) from None
        except contained.Ended as ended:
            raise BadInput(_ENDED[ended.why].format(timeout), root) from None
    if done.code:
        lines = [line for line in done.errors.strip().splitlines() if line.strip()] or ["no message"]
        if "out of memory" in done.errors:
            raise BadInput(_ENDED["memory"], root)
        raise BadInput(f"kustomize says: {lines[-1].replace(f'{scratch}/tree/', '')}", root)
    return done.out


def _write(tree: Mapping[str, bytes], folder: Path) -> None:
    """The files below a new folder; where each of them lands is checked before it is written. Raises BadInput."""
    folder.mkdir()
    for path, content in tree.items():
        target = within(folder, path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)
        except OSError as error:
            raise BadInput(f"the file cannot be laid out for kustomize: {error.strerror}", path) from None


def _environment(scratch: Path) -> dict[str, str]:
    """Nothing of the user's, and no way out."""
    dead = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "LC_ALL": "C"}
    # A hint for the collector of Go programs, well below the limit at which they are ended.
    return env | {"GOMEMLIMIT": "96MiB", "GIT_ALLOW_PROTOCOL": "none", "TMPDIR": str(scratch), **dead}


@contextmanager
def _turn(timeout: float) -> Iterator[None]:
    """Few at a time, so that the memory of all of them is bounded, too."""
    if not _TURNS.acquire(timeout=timeout):
        raise RepositoryError(f"other kustomizations kept this one waiting for more than {timeout:g} s")
    try:
        yield
    finally:
        _TURNS.release()
