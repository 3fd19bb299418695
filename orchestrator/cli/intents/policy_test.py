"""`test`: whether a directory's policies do what its PolicyTests say."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.adapters.git.directory import Directory
from orchestrator.cli.findings.junit import Case, suite
from orchestrator.cli.machine_output import formatted, printed
from orchestrator.cli.policies.reach import load
from orchestrator.errors import BadInput
from orchestrator.policy.author.intents import KIND, Result, as_data, run, shown, tests_of
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import parse_all


def check(path: Path, workloads: Path | None, cni: str, output: str) -> int:
    """0 where every intent holds, 2 where one names what is not here, else 1."""
    formatted(output, "text", "junit")
    fleet = load(path, more=workloads)
    files = Directory(path).files("")
    tests = tests_of(parse_all(files))
    if not tests:
        raise BadInput(f"there is no {KIND} here", str(path), "put one beside the policies")
    results = run(fleet, tests, profile(cni))
    failed = [r for r in results if r.problems]
    if output in ("json", "yaml"):
        printed({"tests": [as_data(r) for r in results]}, output)
    elif output == "junit":
        print(suite([_case(r) for r in results]))
    else:
        for result in results:
            print(f"{'FAIL' if result.problems else 'ok  '}  {result.name}")
            reason = (
                [f"because {result.reason} ({result.where})"] if result.problems and result.reason else []
            )
            for line in (*shown(result), *reason):
                print(f"      {line}")
        print(f"{len(results)} intents, {len(results) - len(failed)} hold")
    if unmatched := sum(r.unmatched for r in results):
        text = "1 intent names" if unmatched == 1 else f"{unmatched} intents name"
        print(f"netpol-canary: {text} what is not here: correct it, or give --workloads DIR", file=sys.stderr)
        return 2
    return 1 if failed else 0


def _case(result: Result) -> Case:
    return Case(result.name, result.where, "failure" if result.problems else "", result.problems)
