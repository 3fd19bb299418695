"""`lint`: findings as text, JSON, SARIF, JUnit or GitHub annotations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import yaml

from orchestrator.adapters.directory import Directory
from orchestrator.adapters.schemas import findings
from orchestrator.cli.edge import annotate
from orchestrator.cli.network import elsewhere
from orchestrator.cli.report import formatted, printed
from orchestrator.cli.sarif import LEVELS, from_root, sarif
from orchestrator.errors import BadInput
from orchestrator.harmless import one_line, xml
from orchestrator.policy.fleet import Fleet
from orchestrator.policy.fleet import fleet as read
from orchestrator.policy.lint import RULES, Finding, lint
from orchestrator.policy.manifest import Document, parse_sound

CONFIG = ".netpol-canary.yaml"
GITHUB = {"error": "error", "warning": "warning", "info": "notice"}


def explain(rule: str) -> int:
    """What a rule looks for, and why."""
    if rule not in RULES:
        raise BadInput(f"there is no rule {rule}", "--explain", f"take one of {', '.join(RULES)}")
    found = RULES[rule]
    print(f"{found.id} ({found.severity}): {found.title}\n\n{found.text}")
    return 0


def check(
    path: Path, fail_on: str, config: Path | None, version: str, workloads: Path | None, output: str
) -> int:
    """0, or 1 where a finding is at least as severe as `fail_on`."""
    formatted(output, "text", "sarif", "junit", "github")
    order = ("info", "warning", "error")
    if fail_on not in (*order, "never"):
        raise BadInput(f"{fail_on} is not a severity", "--fail-on", "take info, warning, error or never")
    levels = severities(path, config)
    files = Directory(path).files("") if path.is_dir() else {}
    parsed = [parse_sound(text, name) for name, text in files.items()]
    given = [d for documents, _ in parsed for d in documents]
    wrong = [error for _, errors in parsed for error in errors]
    fleet = _fleet(path, [*given, *elsewhere(workloads)])
    if not fleet.workloads:
        text = "no workload is known: what needs them is left out; give --workloads DIR"
        print(f"netpol-canary: {text}", file=sys.stderr)
    more = [*findings(given, version), *(_unread(e) for e in wrong)]
    everything = lint(fleet, levels, more, version)
    found = [f for f in everything if not f.ignored]
    if output == "sarif":
        printed(sarif(path, everything), "json")
    elif output in ("json", "yaml"):
        printed({"findings": [_data(f) for f in everything]}, output)
    elif output == "junit":
        print("\n".join(_junit(found)))
    elif output == "github":
        for f in found:
            place, line = from_root(path, f.where) if f.where else ("", 0)
            annotate(GITHUB[f.rule.severity], f.rule.id, f"{f.subject}: {f.message}", place, str(line))
    else:
        for f in found:
            print(one_line(f"{f.where or '-'}: {f.rule.severity} {f.rule.id} {f.subject}: {f.message}"))
        ignored = len(everything) - len(found)
        print(f"{len(found)} findings" + (f", {ignored} ignored" if ignored else ""))
    lost = [*(str(e) for e in wrong), *(f"{d.path}:{d.line}: {text}" for d, text in fleet.malformed)]
    if lost:
        more_ = f" (and {len(lost) - 1} more of NPC026)" if len(lost) > 1 else ""
        print(f"netpol-canary: {one_line(lost[0])}{more_}", file=sys.stderr)
        return 2
    worst = max((order.index(f.rule.severity) for f in found), default=-1)
    return 1 if fail_on != "never" and worst >= order.index(fail_on) else 0


def _fleet(path: Path, documents: Sequence[Document]) -> Fleet:
    """What can be read, with the rest beside it; says what was not analysed."""
    Directory(path).resolve()
    found = read(documents, keep_invalid=True)
    for what in found.skipped:
        print(f"netpol-canary: not analysed: {what}", file=sys.stderr)
    return found


def _unread(error: BadInput) -> Finding:
    file, _, line = error.where.rpartition(":")
    place = (file, error.where) if line.isdigit() and file else (error.where, f"{error.where}:1")
    return Finding(RULES["NPC026"], place[0], error.message, place[1])


def severities(path: Path, config: Path | None) -> dict[str, str]:
    """Severities by rule, from a file, or from `.netpol-canary.yaml` in the directory. Raises BadInput."""
    file = config or path / CONFIG
    if config is None and not file.exists():
        return {}
    try:
        data = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"cannot be read: {str(error).splitlines()[0]}", str(file)) from None
    rules = (data or {}).get("lint") if isinstance(data or {}, dict) else None
    if not isinstance(rules, dict) or set(data) - {"lint"}:
        raise BadInput(
            "a mapping with `lint` is wanted", str(file), "such as lint: {NPC004: warning, NPC007: off}"
        )
    found = {str(rule): "off" if level is False else str(level) for rule, level in rules.items()}
    for rule, level in found.items():
        if rule not in RULES or level not in (*LEVELS, "off"):
            raise BadInput(
                f"lint.{rule}: {level}", str(file), f"take {', '.join(LEVELS)} or off, and a known rule"
            )
    return found


def _data(f: Finding) -> dict[str, Any]:
    return {
        "id": f.rule.id,
        "severity": f.rule.severity,
        "subject": f.subject,
        "message": f.message,
        "where": f.where,
        "ignored": f.ignored,
    }


def _junit(found: list[Finding]) -> list[str]:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuite name="netpol-canary lint" tests="{len(found)}" failures="{len(found)}">')
    for f in found:
        lines.append(
            f"  <testcase name={quoteattr(xml(f'{f.rule.id} {f.subject}'))} classname={quoteattr(xml(f.where))}>"
        )
        lines.append(f"    <failure message={quoteattr(xml(f.message))}/>")
        lines.append("  </testcase>")
    return [*lines, "</testsuite>"]
