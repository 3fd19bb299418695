"""`test`: whether a directory's policies do what its PolicyTests say."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.cli.findings.junit import Case, suite
from orchestrator.cli.policies.fleets import elsewhere, files_of, fleet_of, say_unread, unread
from orchestrator.cli.printing import formatted, note, printed
from orchestrator.errors import BadInput
from orchestrator.policy.author.intents import KIND, PolicyTest, as_data, run, shown, tests_of
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import parse_all
from orchestrator.wording import agreeing, many


def check(path: Path, workloads: Path | None, cni: str, output: str) -> int:
    """0 where every intent holds, 2 where one names what is not here, else 1."""
    formatted(output, "text", "junit")
    files = files_of(path)
    fleet = fleet_of(files, str(path), more=elsewhere(workloads, path), cni=cni)
    say_unread(fleet)
    tests = tests_in(files, path)
    results = run(fleet, tests, profile(cni))
    failed = [r for r in results if r.problems]
    if output in ("json", "yaml"):
        printed({"tests": [as_data(r) for r in results], "notRead": unread(fleet)}, output)
    elif output == "junit":
        print(suite([Case(r.name, r.where, "failure" if r.problems else "", r.problems) for r in results]))
    else:
        for result in results:
            print(f"{'FAIL' if result.problems else 'ok  '}  {result.name}")
            reason = (
                [f"because {result.reason} ({result.where})"] if result.problems and result.reason else []
            )
            for line in (*shown(result), *reason):
                print(f"      {line}")
        held = len(results) - len(failed)
        print(f"{many(len(results), 'intent')}, {held} {agreeing(held, 'holds', 'hold')}")
    if unmatched := sum(r.unmatched for r in results):
        text = f"{many(unmatched, 'intent')} {agreeing(unmatched, 'names', 'name')}"
        note(f"{text} what is not here: correct it, or give --workloads DIR")
        return 2
    return 1 if failed else 0


def tests_in(files: Mapping[str, bytes], path: Path) -> list[tuple[PolicyTest, str]]:
    """The PolicyTests of a directory, with file and line. Raises BadInput where it has none."""
    tests = tests_of(parse_all(files))
    if not tests:
        raise BadInput(f"there is no {KIND} here", str(path), "put one beside the policies")
    return tests
