"""Which commit between two revisions made a rule of a policy what it is: by what the policy says, not by the file that holds it."""

from __future__ import annotations

import os
import re
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.adapters.gittree import contents
from orchestrator.adapters.revision import commit_id, git, is_shallow, merge_base, root_of
from orchestrator.errors import NetpolCanaryError
from orchestrator.policy.manifest import Document, parse_sound

MOST_COMMITS = 1000
MOST_VERSIONS = 100  # of a file, the newest
MOST_FILES = 500  # whose versions are read: the others' policies have no commit named
_FILES = ("000000", "100644", "100755")
_RAW = re.compile(r":(\d+) (\d+) (\w+) (\w+) \w\t(.+)")
_RULE = re.compile(r"(ingress|egress)\[(\d+)\]")


class _Step(NamedTuple):
    """A commit that changed a file: its title, and the file before and after it, by blob."""

    title: str
    old: str
    new: str


class History:
    """The commits of `before..after` below a directory; a file's versions are read once, and only where they are asked for.

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
        self._steps: dict[str, list[_Step]] = {}
        for entry in raw.decode(errors="replace").split("\0")[1:]:
            head, *rows = entry.splitlines()
            commit, parents, said = head.split("\t", 2)
            title = f"{commit[:10]} {said}" if parents or not shallow else ""
            for match in filter(None, map(_RAW.fullmatch, rows)):
                if match[1] in _FILES and match[2] in _FILES:
                    self._steps.setdefault(match[5], []).append(_Step(title, match[3], match[4]))
        # What another branch wrote before is changed by none of these commits.
        self._follows = bool(self._steps) and merge_base(directory, before, after) == commit_id(
            self._root, before
        )
        self._ends = [self._blobs(revision) if self._steps else {} for revision in (before, after)]
        left = (
            git(self._root, "diff", "--name-only", "-z", "--no-ext-diff", "HEAD", *place) if working else b""
        )
        self._uncommitted = frozenset(left.decode(errors="replace").split("\0"))
        self._read: dict[str, dict[str, bytes]] = {}
        self._parsed = lru_cache(1024)(partial(_documents, self._read))

    def made(self, file: str, policy: str, rule: str) -> str:
        """The commit that made it what it is afterwards; empty where none of these did."""
        steps = [] if file in self._uncommitted else self._versions(file)
        return self._touched(steps, file, policy, rule, self._ends[1].get(file, "")) if steps else ""

    def changed(self, file: str, policy: str, rule: str) -> str:
        """The commit that changed what stood there before; empty where none of these did."""
        steps = self._versions(file) if self._follows and file not in self._uncommitted else []
        return self._touched(steps, file, policy, rule, self._ends[0].get(file, "")) if steps else ""

    def _blobs(self, revision: str) -> dict[str, str]:
        """The files that the commits changed as a revision has them, by path."""
        commit = commit_id(self._root, revision)
        asked = "".join(f"{commit}:{file}\n" for file in self._steps).encode()
        rows = git(self._root, "cat-file", "--batch-check", data=asked).decode(errors="replace").split("\n")
        pairs = zip(self._steps, rows, strict=False)
        return {file: row.split(" ")[0] for file, row in pairs if not row.endswith(" missing")}

    def _versions(self, file: str) -> list[_Step]:
        steps = self._steps.get(file, [])[:MOST_VERSIONS]
        if steps and file not in self._read:
            if len(self._read) >= MOST_FILES:
                return []
            ends = (tree.get(file, "") for tree in self._ends)
            blobs = dict.fromkeys(
                b for b in (*ends, *(b for s in steps for b in (s.old, s.new))) if b.strip("0")
            )
            try:
                self._read[file] = contents(partial(git, self._root), list(blobs), "blob", file)
            except NetpolCanaryError:  # not in a partial clone, or too large: then nobody is named
                self._read[file] = {}
        return steps if self._read.get(file) else []

    def _touched(self, steps: list[_Step], file: str, policy: str, rule: str, blob: str) -> str:
        """The newest commit that changed what the policy says apart from its rules, or this rule of it; all of it where no rule is meant."""
        match, spec = _RULE.fullmatch(rule), self._spec(file, policy, blob)
        wanted = _rule(spec, match[1], int(match[2])) if match and spec else None

        def view(blob: str) -> object:
            said = self._spec(file, policy, blob)
            if said is None or match is None or wanted is None:
                return said
            rest = {k: v for k, v in said.items() if k not in ("ingress", "egress")}
            return rest, wanted in (said.get(match[1]) or [])

        return next((s.title for s in steps if view(s.old) != view(s.new)), "")

    def _spec(self, file: str, policy: str, blob: str) -> dict[str, Any] | None:
        kind, *space, name = re.split("[ /]", policy)
        return next(
            (
                d.obj.get("spec") or {}
                for d in self._parsed(file, blob).get((kind, name), ())
                if d.obj["metadata"].get("namespace") in (*space, "", None)
            ),
            None,
        )


def _documents(
    read: dict[str, dict[str, bytes]], file: str, blob: str
) -> dict[tuple[str, str], list[Document]]:
    """The objects of a version, by kind and name."""
    found: dict[tuple[str, str], list[Document]] = {}
    for document in parse_sound(read[file].get(blob, b""), file)[0]:
        found.setdefault((document.obj["kind"], document.obj["metadata"]["name"]), []).append(document)
    return found


def _rule(spec: dict[str, Any], part: str, number: int) -> Any:
    rules = spec.get(part) or []
    return rules[number] if number < len(rules) else None
