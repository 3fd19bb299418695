"""Which commit between two revisions made a rule of a policy what it is: by what the policy says, not by the file that holds it."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from orchestrator.adapters.git.file_versions import Asked, Policies, Said, Versions
from orchestrator.adapters.git.tree import contents
from orchestrator.adapters.git.worktree import commit_id, git, is_shallow, merge_base, root_of
from orchestrator.errors import NetpolCanaryError

MOST_COMMITS = 1000
MOST_VERSIONS = 100  # of a file, the newest
MOST_FILES = 500  # whose versions are read: the others' policies have no commit named
MOST_MOVED = 2000  # files of a commit among which a policy is looked for that left one of them, or came
MOST_NAMES = 10  # of the files in which one policy stood
_FILES = ("000000", "100644", "100755")
_RAW = re.compile(r":(\d+) (\d+) (\w+) (\w+) \w\t(.+)")
_RULE = re.compile(r"(ingress|egress)\[(\d+)\]")


class _Step(NamedTuple):
    """What a commit did to a file: the commit by its number, from the newest, and the file before and after it, by blob."""

    number: int
    old: str
    new: str


class History:
    """The commits of `before..after` below a directory; a file's versions are read once, and only where they are asked for.

    A policy is followed from file to file: a commit that moves it as it is changed nothing of it.

    A commit is named as `4f1c2d9e01 Ann Lee: Open payments to checkout`; none whose parents a shallow clone lacks, since git
    shows it as the maker of every file. With `working`, `after` stands as the working tree has it, and what is not committed is
    no commit's. Raises BadInput.
    """

    def __init__(self, directory: Path, before: str, after: str, working: bool = False) -> None:
        self._root = root_of(directory)
        inside = os.path.relpath(directory.resolve(), self._root.resolve())
        form = (
            f"--max-count={MOST_COMMITS}",
            "--no-renames",
            "--no-abbrev",
            "--raw",
            "--format=%x00%H%x09%P%x09%an: %s",
        )
        place = ("--", f":(top,literal){'' if inside == '.' else inside}")
        span = ("--end-of-options", f"{before}..{after}", *place)
        raw = git(self._root, "-c", "core.quotepath=off", "log", *form, *span)
        shallow = is_shallow(self._root)
        self._top = "" if inside == "." else f"{inside}/"
        self._steps: dict[str, list[_Step]] = {}
        self._titles: list[str] = []
        self._rows: list[dict[str, _Step]] = []
        for entry in raw.decode(errors="replace").split("\0")[1:]:
            head, *rows = entry.splitlines()
            commit, parents, said = head.split("\t", 2)
            found = filter(None, map(_RAW.fullmatch, rows))
            kept = {
                m[5]: _Step(len(self._rows), m[3], m[4]) for m in found if m[1] in _FILES and m[2] in _FILES
            }
            self._titles.append(f"{commit[:10]} {said}" if parents or not shallow else "")
            self._rows.append(kept)
            for file, step in kept.items():
                self._steps.setdefault(file, []).append(step)
        # What another branch wrote before is changed by none of these commits.
        self._follows = bool(self._steps) and merge_base(directory, before, after) == commit_id(
            self._root, before
        )
        self._ends = [self._blobs(revision) if self._steps else {} for revision in (before, after)]
        left = (
            git(self._root, "diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", "HEAD", *place)
            if working
            else b""
        )
        self._uncommitted = frozenset(left.decode(errors="replace").split("\0"))
        self._versions = Versions()
        self._read: dict[str, bool] = {}
        self._known: dict[str, Policies | None] = {"0" * 40: {}, "0" * 64: {}, "": {}}
        self._moved: dict[int, dict[tuple[str, str], list[str]]] = {}
        self._lives: dict[Asked, list[tuple[str, Said | None, Said | None]]] = {}

    def made(self, file: str, policy: str, rule: str) -> str:
        """The commit that made it what it is afterwards; empty where none of these did."""
        return self._touched(file, policy, rule, self._ends[1])

    def changed(self, file: str, policy: str, rule: str) -> str:
        """The commit that changed what stood there before; empty where none of these did."""
        return self._touched(file, policy, rule, self._ends[0]) if self._follows else ""

    def _blobs(self, revision: str) -> dict[str, str]:
        """The files that the commits changed as a revision has them, by path."""
        commit = commit_id(self._root, revision)
        asked = "".join(f"{commit}:{file}\n" for file in self._steps).encode()
        rows = git(self._root, "cat-file", "--batch-check", data=asked).decode(errors="replace").split("\n")
        pairs = zip(self._steps, rows, strict=False)
        return {file: row.split(" ")[0] for file, row in pairs if not row.endswith(" missing")}

    def _touched(self, file: str, policy: str, rule: str, end: Mapping[str, str]) -> str:
        """The newest commit that changed what the policy says apart from its rules, or this rule of it; all of it where no rule is meant."""
        if file not in self._steps or file in self._uncommitted:
            return ""
        kind, *space, name = re.split("[ /]", policy)
        asked = Asked(kind, "".join(space), name, file, self._top)
        life, stands = self._life(asked), self._said(asked, file, end.get(file, ""))
        match = _RULE.fullmatch(rule)
        rules = stands.rules[match[1]] if match and stands else ()
        wanted = rules[int(match[2])] if match and int(match[2]) < len(rules) else b""

        def view(said: Said | None) -> object:
            if said is None or match is None or not wanted:
                return said and said.whole
            return said.rest, wanted in said.rules[match[1]]

        return next((title for title, old, new in life if view(old) != view(new)), "")

    def _life(self, asked: Asked) -> list[tuple[str, Said | None, Said | None]]:
        """The titles of the commits that touched the files in which a policy stood, the newest first, and what it said before and after."""
        if asked not in self._lives:
            found: dict[int, list[tuple[Said | None, Said | None]]] = {}
            files, left = {asked.file}, [asked.file]
            while left:
                file = left.pop()
                for number, *blobs in self._read_through(file):
                    old, new = (self._said(asked, file, blob) for blob in blobs)
                    found.setdefault(number, []).append((old, new))
                    if (old is None) != (new is None) and len(files) < MOST_NAMES:
                        others = self._others(asked, number, old is None)
                        more = others[:1] if files.isdisjoint(others) else []
                        files.update(more)
                        left += more
            self._lives[asked] = [
                (self._titles[number], _first(o for o, _ in pairs), _first(n for _, n in pairs))
                for number, pairs in sorted(found.items())
            ]
        return self._lives[asked]

    def _others(self, asked: Asked, number: int, came: bool) -> list[str]:
        """The files of a commit that the policy left, where it came into one with it; or into which it came."""
        rows = self._rows[number]
        if number not in self._moved:
            found = self._moved.setdefault(number, {})
            if 1 < len(rows) <= MOST_MOVED and self._load(
                [b for s in rows.values() for b in s[1:]], str(number)
            ):
                for file, step in rows.items():
                    old, new = (self._known[b] or {} for b in step[1:])
                    for key in old.keys() | new.keys():
                        if old.get(key) != new.get(key):
                            found.setdefault(key, []).append(file)
        ends = (
            (f, self._said(asked, f, rows[f].old), self._said(asked, f, rows[f].new))
            for f in self._moved[number].get((asked.kind, asked.name), ())
        )
        return [f for f, old, new in ends if (new if came else old) is None and (old if came else new)]

    def _said(self, asked: Asked, file: str, blob: str) -> Said | None:
        return asked.among(self._known.get(blob) or {}, file)

    def _read_through(self, file: str) -> list[_Step]:
        """What was done to a file; nothing where not all of it can be read: then nobody is named."""
        steps = self._steps[file][:MOST_VERSIONS]
        if file not in self._read:
            blobs = [*(tree.get(file, "") for tree in self._ends), *(b for s in steps for b in s[1:])]
            self._read[file] = len(self._read) < MOST_FILES and self._load(blobs, file)
        return steps if self._read[file] else []

    def _load(self, blobs: Sequence[str], what: str) -> bool:
        """Read these; whether all can be."""
        new = [b for b in dict.fromkeys(blobs) if b not in self._known]
        try:
            texts = contents(partial(git, self._root), new, "blob", what) if new else {}
        except NetpolCanaryError:  # not in a partial clone, or too large
            return False
        self._known |= {blob: self._versions.policies(text, what) for blob, text in texts.items()}
        return all(self._known[b] is not None for b in blobs)


def _first(found: Iterable[Said | None]) -> Said | None:
    return next(filter(None, found), None)
