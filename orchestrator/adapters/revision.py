"""Files of a directory as they were at a revision of the Git repository that holds it; nothing is written there."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.directory import ENDINGS, MOST_BYTES, MOST_FILES
from orchestrator.errors import BadInput

TIMEOUT = 60.0
MOST_COMMITS = 1000
_NAME = re.compile(r"[^-\s:][^\s:]*")


def files_at(directory: Path, revision: str) -> Mapping[str, bytes]:
    """The manifests below the directory at a revision, by path. Raises BadInput."""
    if not _NAME.fullmatch(revision):
        raise BadInput(f"{revision!r} is not a revision", hint="write a branch, a tag or a commit")
    start = next((p for p in (directory.absolute(), *directory.absolute().parents) if p.is_dir()), Path("/"))
    root = Path(_git(start, "rev-parse", "--show-toplevel").decode().strip())
    inside = os.path.relpath(directory.resolve(), root.resolve())
    tree = _git(
        root,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{revision}^{{commit}}",
        said=f"revision {revision} is not in {root}",
    )
    where = [] if inside == "." else [inside]
    raw = _git(root, "archive", "--format=tar", tree.decode().strip(), "--", *where)
    if len(raw) > 2 * MOST_BYTES:
        raise BadInput("the directory holds too much", f"{directory} at {revision}", "give a smaller one")
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            name = os.path.relpath(member.name, inside)
            if name.startswith(".") or "/." in name or not name.endswith(ENDINGS):
                continue
            if member.issym() or member.islnk():
                raise BadInput(
                    "symbolic links are not followed", f"{name} at {revision}", "commit the file itself"
                )
            content = archive.extractfile(member)
            if content is not None:
                found[name] = content.read()
            if len(found) > MOST_FILES:
                raise BadInput(
                    "the directory holds too much", f"{directory} at {revision}", "give a smaller one"
                )
    return found


def commits_of(directory: Path, before: str, after: str) -> Mapping[str, str]:
    """For each file below the directory that changed between two revisions: the last commit that did it.

    `4f1c2d9e01 Ann Lee: Open payments to checkout`, by the path below the directory. Raises BadInput.
    """
    root = Path(_git(directory, "rev-parse", "--show-toplevel").decode().strip())
    inside = os.path.relpath(directory.resolve(), root.resolve())
    raw = _git(
        root,
        "-c",
        "core.quotepath=off",
        "log",
        f"--max-count={MOST_COMMITS}",
        "--no-renames",
        "--format=%x00%h %an: %s",
        "--name-only",
        "--end-of-options",
        f"{before}..{after}",
        "--",
        inside,
    )
    found: dict[str, str] = {}
    for entry in raw.decode(errors="replace").split("\0")[1:]:
        title, *names = entry.splitlines()
        for name in names:
            if name:
                found.setdefault(os.path.relpath(name, inside), title)
    return found


def _git(where: Path, *args: str, said: str = "") -> bytes:
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(where), *args], capture_output=True, timeout=TIMEOUT, check=False, env=env
        )
    except FileNotFoundError:
        raise BadInput("the git program is missing", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise BadInput(f"git took longer than {TIMEOUT:g} s", str(where)) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise BadInput(said or f"git says: {lines[-1].removeprefix('fatal: ')}", str(where))
    return done.stdout
