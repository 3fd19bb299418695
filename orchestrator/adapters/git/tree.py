"""The files of a commit, read from git's tree objects themselves: hostile names refused, other files passed over."""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.adapters.git.skipped import Passed
from orchestrator.adapters.git.tree_names import MOST_PATH, odd
from orchestrator.errors import BadInput, RepositoryError

ENDINGS = (".yaml", ".yml", ".json")
KUSTOMIZATION = "Kustomization"  # the one file without an ending that says what is applied
MOST_ENTRIES = 200_000
MOST_DEPTH = 64
MOST_OBJECTS_AT_ONCE = 2_000
_FOLDER, _SYMLINK, _SUBMODULE = "40000", "120000", "160000"
_ID = 20
_SETTINGS = (".gitignore", ".gitattributes", ".gitmodules", ".gitkeep")

Ask = Callable[..., bytes]


class Entry(NamedTuple):
    """An entry of a tree: a file, a folder, a symbolic link or a submodule."""

    mode: str
    blob: str
    path: str


class Found(NamedTuple):
    """The manifests below a path, and what was passed over there, as half a sentence."""

    manifests: list[Entry]
    passed: str


def is_manifest(path: str) -> bool:
    """Whether a file may say what is applied; all others are of no concern."""
    return path.endswith(ENDINGS) or posixpath.basename(path) == KUSTOMIZATION


@dataclass
class Trees:
    """The trees of one repository. `ask` runs git there: `ask(*args, data=…)` gives what it prints."""

    ask: Ask
    root: str
    where: str
    _known: dict[str, list[Entry]] = field(default_factory=dict)

    def below(self, folder: str) -> Found | None:
        """All manifests below a folder (empty: the root), None where there is none. Raises BadInput."""
        start = self._folder(folder)
        if start is None:
            return None
        found, passed, count = list[Entry](), Passed(), 0
        level = [Entry(_FOLDER, start, "")]
        for _ in range(MOST_DEPTH):
            self._load([e.blob for e in level])
            count += sum(len(self._known[e.blob]) for e in level)
            if count > MOST_ENTRIES:
                text = f"there are more than {MOST_ENTRIES} files and folders"
                raise BadInput(text, folder or self.where, "name a smaller folder as git.path")
            deeper: list[Entry] = []
            for entry in self._children(level):
                if kind := _passed(entry):
                    passed.add(kind, entry.path)
                    continue
                (deeper if entry.mode == _FOLDER else found).append(entry)
            if not deeper:
                return Found([_file(e) for e in found], passed.said())
            level = deeper
        raise BadInput(f"folders are nested deeper than {MOST_DEPTH}", level[0].path[:200])

    def _children(self, level: Sequence[Entry]) -> Iterator[Entry]:
        for parent in level:
            for entry in self._known[parent.blob]:
                path = posixpath.join(parent.path, entry.path)
                if len(path) > MOST_PATH:
                    raise BadInput(f"a path is longer than {MOST_PATH} characters", f"{path[:40]}…")
                yield entry._replace(path=path)

    def file(self, path: str) -> Entry | None:
        """One file by its path, whatever its ending; None where there is none. Raises BadInput."""
        folder, _, name = path.rpartition("/")
        tree = self._folder(folder)
        if tree is None:
            return None
        entry = next((e for e in self._listed(tree) if e.path == name), None)
        if entry is None or entry.mode in (_FOLDER, _SUBMODULE):
            return None
        return _file(entry._replace(path=path))

    def _folder(self, path: str) -> str | None:
        tree = self.root
        for name in path.split("/") if path else ():
            entry = next((e for e in self._listed(tree) if e.path == name), None)
            if entry is None or entry.mode != _FOLDER:
                return None
            tree = entry.blob
        return tree

    def _listed(self, tree: str) -> list[Entry]:
        self._load([tree])
        return self._known[tree]

    def _load(self, trees: Sequence[str]) -> None:
        missing = list(dict.fromkeys(t for t in trees if t not in self._known))
        for some in _parted(missing):
            for tree, content in contents(self.ask, some, "tree", self.where).items():
                self._known[tree] = list(_entries(content, self.where))


def contents(ask: Ask, ids: Sequence[str], kind: str, where: str) -> dict[str, bytes]:
    """Objects of a kind by their id. Raises RepositoryError where one is missing or another kind."""
    raw = memoryview(ask("cat-file", "--batch", "--buffer", data="".join(f"{i}\n" for i in ids).encode()))
    found: dict[str, bytes] = {}
    at = 0
    for one in ids:
        end = bytes(raw[at : at + 200]).index(b"\n") + at
        _, real, *size = bytes(raw[at:end]).split()
        if not size or real.decode() != kind:
            raise RepositoryError(f"{where}: object {one} is {real.decode()} in the clone, not a {kind}")
        found[one] = bytes(raw[end + 1 : end + 1 + int(size[0])])
        at = end + 2 + int(size[0])
    return found


def sizes(ask: Ask, ids: Sequence[str]) -> dict[str, int]:
    """How large blobs are, without reading them; 0 for those that are missing."""
    found: dict[str, int] = {}
    for some in _parted(list(dict.fromkeys(ids))):
        raw = ask("cat-file", "--batch-check", data="".join(f"{i}\n" for i in some).encode())
        for line in raw.decode().splitlines():
            one, _, *size = line.split()
            found[one] = int(size[0]) if size else 0
    return found


def _parted(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[n : n + MOST_OBJECTS_AT_ONCE] for n in range(0, len(ids), MOST_OBJECTS_AT_ONCE))


def _file(entry: Entry) -> Entry:
    if entry.mode == _SYMLINK:
        raise BadInput("symbolic links are not followed", entry.path, "commit the file in its place")
    return entry


def _entries(content: bytes, where: str) -> Iterator[Entry]:
    """The entries of a tree object. Raises BadInput for names that no file system should be given."""
    at, seen = 0, set[str]()
    while at < len(content):
        space, end = content.find(b" ", at), content.find(b"\0", at)
        if not at < space < end or end + 1 + _ID > len(content):
            raise BadInput("a tree of the commit is damaged", where)
        mode = content[at:space].decode("ascii", "replace").lstrip("0")
        name = content[space + 1 : end].decode(errors="backslashreplace")
        if why := odd(name) or (f"two entries are called {name!r}" if name in seen else ""):
            raise BadInput(f"a tree of the commit is hostile or damaged: {why}", where, "fix the history")
        seen.add(name)
        yield Entry(mode, content[end + 1 : end + 1 + _ID].hex(), name)
        at = end + 1 + _ID


def _passed(entry: Entry) -> str:
    """As what an entry is passed over; empty where it is not."""
    name = posixpath.basename(entry.path)
    if name in _SETTINGS:
        return "setting"
    if entry.mode == _SUBMODULE:
        return "submodule"
    if name.startswith("."):
        return "hidden"
    if entry.mode == _FOLDER or is_manifest(entry.path):
        return ""
    return "link" if entry.mode == _SYMLINK else "other"
