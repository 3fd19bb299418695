"""Files of a directory as they were at a revision of the Git repository that holds it; nothing is written there."""

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from orchestrator.adapters import contained
from orchestrator.adapters.git.directory import MOST_BYTES, MOST_FILES
from orchestrator.adapters.git.program import MOST_OUTPUT, SETTINGS
from orchestrator.adapters.git.tree import ENDINGS, Trees, contents, sizes
from orchestrator.errors import BadInput
from orchestrator.policy.files.nearest import MOST_NAMES, did_you_mean
from orchestrator.ports import Files

TIMEOUT = 60.0
DEEPEN = (
    "fetch the history: `git fetch --unshallow` and the base's branch; in CI fetch-depth: 0 or GIT_DEPTH: 0"
)
# A repository is not run by its configuration: neither hooks nor a file system monitor of its own.
_SAFE = ("core.fsmonitor", "core.hooksPath", "core.bigFileThreshold", "core.deltaBaseCacheLimit")
_NAME = re.compile(r"[^-\s:][^\s:]*")


def files_at(directory: Path, revision: str) -> Mapping[str, bytes]:
    """The manifests below the directory at a revision, by path. Raises BadInput."""
    root = root_of(directory)
    inside = os.path.relpath(directory.resolve(), root.resolve())
    commit = commit_id(root, revision)
    prefix = "" if inside == "." else inside
    ask = partial(git, root)
    where = f"{directory} at {revision}"
    top = git(root, "rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()
    found = Trees(ask, top, where).below(prefix)
    if found is None:
        return {}
    wanted = [e for e in found.manifests if e.path.endswith(ENDINGS)]
    size = sizes(ask, [e.blob for e in wanted])
    if len(wanted) > MOST_FILES or sum(size.get(e.blob, 0) for e in wanted) > MOST_BYTES:
        raise BadInput("the directory holds too much", where, "give a smaller one")
    content = contents(ask, list(dict.fromkeys(e.blob for e in wanted)), "blob", where) if wanted else {}
    files = Files({e.path: content[e.blob] for e in wanted})
    files.below = f"{prefix}/" if prefix else ""
    return files


def merge_base(directory: Path, one: str, other: str) -> str:
    """The commit at which two revisions parted; empty where there is none. Raises BadInput, also where a shallow clone lacks it."""
    root = root_of(directory)
    commits = [commit_id(root, r) for r in (one, other)]
    found = git(root, "merge-base", *commits, code=1).decode().strip()  # 1 says that there is none
    if not found and is_shallow(root):
        raise BadInput(f"no common commit of {one} and {other} is in this shallow clone", hint=DEEPEN)
    return found


def has_in_history(directory: Path, commit: str, earlier: str) -> bool:
    """Whether a commit came after another one, as far as the clone holds both."""
    try:
        git(root_of(directory), "merge-base", "--is-ancestor", earlier, commit)
    except BadInput:
        return False
    return True


def is_shallow(root: Path) -> bool:
    """Whether older commits were not fetched."""
    return git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def root_of(directory: Path) -> Path:
    """Of the repository that holds the directory, or held it."""
    start = next((p for p in (directory.absolute(), *directory.absolute().parents) if p.is_dir()), Path("/"))
    return Path(git(start, "rev-parse", "--show-toplevel").decode().strip())


def commit_id(root: Path, revision: str) -> str:
    if not _NAME.fullmatch(revision):
        raise BadInput(f"{revision!r} is not a revision", hint="write a branch, a tag or a commit")
    asked = ("--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = git(root, "rev-parse", *asked, code=1).decode().strip()
    if not found:
        if is_shallow(root):  # a name that is alike is no help where only some were fetched
            raise BadInput(f"revision {revision} is not in {root}", hint=DEEPEN)
        refs = git(root, "for-each-ref", f"--count={MOST_NAMES}", "--format=%(refname:short)")
        fix = did_you_mean(revision, refs.decode(errors="replace").split(), "")
        raise BadInput(f"revision {revision} is not in {root}", hint=fix)
    return found


def git(where: Path, *args: str, data: bytes = b"", said: str = "", code: int = 0) -> bytes:
    """What it printed; `code` is a further exit code that is no failure."""
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1"}
    safe = [part for key in _SAFE for part in ("-c", f"{key}={SETTINGS[key]}")]
    limits = contained.Limits(TIMEOUT, MOST_OUTPUT)
    try:
        done = contained.run(["git", *safe, "-C", str(where), *args], limits, env, data)
    except FileNotFoundError:
        raise BadInput("the git program is missing", hint="install git") from None
    except contained.Ended as ended:
        raise BadInput(f"git was {ended}", str(where)) from None
    if done.code not in (0, code):
        lines = done.errors.strip().splitlines() or ["no message"]
        raise BadInput(said or f"git says: {lines[-1].removeprefix('fatal: ')}", str(where))
    return done.out


def authors_of(directory: Path, before: str, after: str, aside: str) -> set[str]:
    """The e-mail addresses of who wrote something below the directory between two revisions, one file in it aside."""
    root = root_of(directory)
    inside = os.path.relpath(directory.resolve(), root.resolve())
    paths = (
        f":(top,literal){'' if inside == '.' else inside}",
        f":(top,exclude,literal){_below(inside, aside)}",
    )
    form = "--format=%ae%n%(trailers:key=Co-authored-by,valueonly)"
    raw = git(root, "log", form, "--end-of-options", f"{before}..{after}", "--", *paths)
    lines = (line.strip() for line in raw.decode(errors="replace").splitlines())
    return {line.rpartition("<")[2].rstrip(">") for line in lines if line}


def _below(inside: str, name: str) -> str:
    return os.path.normpath(os.path.join(inside, name))


def blamed(file: Path, first: int, last: int) -> list[tuple[str, str]]:
    """Name and e-mail address of who wrote the lines of a file; both empty where they are not committed, none outside of Git."""
    try:
        root = root_of(file.parent)
        name = os.path.relpath(file.resolve(), root.resolve())
        raw = git(root, "blame", "--porcelain", "-L", f"{first},{last}", "--", name)
    except BadInput:
        return []
    words = (line.partition(" ")[0] for line in raw.decode(errors="replace").splitlines())
    commits = list(dict.fromkeys(word for word in words if re.fullmatch("[0-9a-f]{40,64}", word)))
    return [_author(root, commit) for commit in commits]


def _author(root: Path, commit: str) -> tuple[str, str]:
    """As the commit says: what blame says goes through a .mailmap, which whoever wrote the change may write."""
    if not commit.strip("0"):
        return "", ""
    name, _, mail = (
        git(root, "show", "--no-patch", "--format=%an%x00%ae", commit)
        .decode(errors="replace")
        .partition("\0")
    )
    return name.strip(), mail.strip()
