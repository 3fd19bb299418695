"""`test`: whether a directory's policies do what its PolicyTests say."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from orchestrator.adapters.directory import Directory
from orchestrator.cli.network import load
from orchestrator.cli.report import formatted, printed
from orchestrator.errors import BadInput
from orchestrator.policy.intents import KIND, Result, as_data, run, shown, tests_of
from orchestrator.policy.manifest import parse
from orchestrator.policy.reading import profile


def check(path: Path, workloads: Path | None, cni: str, output: str) -> int:
    """0 where every intent holds, else 1."""
    formatted(output, "text", "junit")
    fleet = load(path, more=workloads)
    files = Directory(path).files("")
    tests = tests_of(d for name, content in files.items() for d in parse(content, name))
    if not tests:
        raise BadInput(f"there is no {KIND} here", str(path), "put one beside the policies")
    results = run(fleet, tests, profile(cni))
    failed = [r for r in results if r.problems]
    if output in ("json", "yaml"):
        printed({"tests": [as_data(r) for r in results]}, output)
    elif output == "junit":
        print("\n".join(_junit(results, len(failed))))
    else:
        for result in results:
            print(f"{'FAIL' if result.problems else 'ok  '}  {result.name}")
            reason = (
                [f"because {result.reason} ({result.where})"] if result.problems and result.reason else []
            )
            for line in (*shown(result), *reason):
                print(f"      {line}")
        print(f"{len(results)} intents, {len(results) - len(failed)} hold")
    return 1 if failed else 0


def _junit(results: list[Result], failed: int) -> list[str]:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuite name="netpol-canary" tests="{len(results)}" failures="{failed}">')
    for result in results:
        lines.append(f"  <testcase name={quoteattr(result.name)} classname={quoteattr(result.where)}>")
        if result.problems:
            text = escape("\n".join(result.problems))
            lines.append(f"    <failure message={quoteattr(result.problems[0])}>{text}</failure>")
        lines.append("  </testcase>")
    return [*lines, "</testsuite>"]
