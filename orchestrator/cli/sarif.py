"""Findings as code scanning takes them: SARIF 2.1.0, each result with a place below the repository's root."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestrator.policy.lint import RULES, Finding

LEVELS = {"error": "error", "warning": "warning", "info": "note"}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def from_root(directory: Path, where: str) -> tuple[str, int]:
    """The path from the repository's root, and the line, of a `file:line` below the directory or the working directory.

    Outside of a repository it is from the working directory, or else from the directory itself.
    """
    file, _, line = where.rpartition(":")
    inside, elsewhere = directory / file, Path(file)
    # A name that is no text is shown escaped and cannot be found: it is below the directory all the same.
    path = (elsewhere if elsewhere.exists() and not inside.exists() else inside).resolve()
    roots = [p for p in path.parents if (p / ".git").exists()][:1] or [Path.cwd(), directory]
    root = next((r.resolve() for r in roots if path.is_relative_to(r.resolve())), None)
    return str(path.relative_to(root)) if root else str(path), int(line) if line.isdigit() else 1


def sarif(directory: Path, found: Iterable[Finding]) -> dict[str, Any]:
    """One run over a directory; those that an annotation ignores are suppressed."""
    driver = {"name": "netpol-canary", "rules": [_rule(r) for r in RULES]}
    results = [_result(f, *from_root(directory, f.where)) for f in found]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "utf16CodeUnits"}],
    }


def _rule(name: str) -> dict[str, Any]:
    rule = RULES[name]
    return {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.text},
        "help": {"text": f"{rule.text}\n\n`netpol-canary lint --explain {rule.id}` says the same."},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(f: Finding, file: str, line: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": max(line, 1)}}
    result: dict[str, Any] = {
        "ruleId": f.rule.id,
        "level": LEVELS[f.rule.severity],
        "message": {"text": f"{f.subject}: {f.message}"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"finding/v1": _print((f.rule.id, f.subject, f.message, file))},
    }
    if f.ignored:
        result["suppressions"] = [{"kind": "inSource", "justification": f.ignored}]
    return result


def _print(parts: Sequence[str]) -> str:
    """The same wherever in its file the finding stands."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
