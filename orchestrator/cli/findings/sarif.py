"""Findings as code scanning takes them: SARIF 2.1.0, each result with a place below the repository's root."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from orchestrator.cli.findings.spots import Spot
from orchestrator.policy.lint.findings import RULES, Finding
from orchestrator.policy.lint.rules.rule import Rule

# The headings of docs/policies.md about what `check` finds beside lint; all others are of its own chapter.
CHAPTERS = {"intent": "what-must-hold", "recorded": "from-nothing-and-from-recorded-traffic"}
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
DOCS = "https://netpol-canary.dev/"  # as in mkdocs.yml
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Iterable[tuple[Finding, Spot]], rules: Mapping[str, Rule] = RULES) -> dict[str, Any]:
    """One run over a directory; what an annotation ignores or somebody accepted is suppressed."""
    number = {name: at for at, name in enumerate(rules)}
    driver = {"name": "netpol-canary", "informationUri": DOCS, "rules": [_rule(rules[r]) for r in rules]}
    results = [_result(f, spot, number) for f, spot in found]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.text},
        "help": {"text": _help(rule)},
        "helpUri": help_uri(rule),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def help_uri(rule: Rule) -> str:
    """The part of the documentation that is about the rule: lint's have a heading each."""
    if rule.id not in RULES:
        return f"{DOCS}policies.html#{CHAPTERS.get(rule.id, 'in-a-pull-request')}"
    words = re.findall(r"[a-z0-9_]+", re.sub(r"[^\w\s-]", "", f"{rule.id} {rule.title}".lower()))
    return f"{DOCS}lint.html#{'-'.join(words)}"


def _help(rule: Rule) -> str:
    more = f"\n\n`netpol-canary lint --explain {rule.id}` says the same." if rule.id in RULES else ""
    return f"{rule.text}{more}"


def _result(f: Finding, spot: Spot, number: Mapping[str, int]) -> dict[str, Any]:
    region = {"startLine": spot.line, "startColumn": spot.column}
    place = {"artifactLocation": {"uri": quote(spot.file)}, "region": region}
    location: dict[str, Any] = {"physicalLocation": place}
    if not f.where:
        location["logicalLocations"] = [{"fullyQualifiedName": f.subject}]
    mark = fingerprint(f, spot.file)
    result: dict[str, Any] = {
        "ruleId": f.rule.id,
        "ruleIndex": number[f.rule.id],
        "level": LEVELS[f.rule.severity],
        "message": {"text": f"{f.subject}: {f.message}"},
        "locations": [location],
        # Code scanning follows a finding by the second one, from commit to commit.
        "partialFingerprints": {"finding/v1": mark, "primaryLocationLineHash": f"{mark[:16]}:1"},
    }
    if f.ignored:
        kind = "external" if f.ignored.startswith("accepted") else "inSource"
        result["suppressions"] = [{"kind": kind, "justification": f.ignored}]
    return result


def fingerprint(f: Finding, file: str) -> str:
    """The same wherever in its file the finding stands."""
    return _print((f.rule.id, f.subject, f.message, file))


def _print(parts: Sequence[str]) -> str:
    """The same wherever in its file the finding stands."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
