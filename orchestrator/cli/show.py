"""What the demo prints."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from orchestrator.cli import demo as play
from orchestrator.cli import edge, logs, postmortem
from orchestrator.cli.report import formatted, printed, report
from orchestrator.cli.timeline import line
from orchestrator.errors import BadInput
from orchestrator.record.timeline import moments

EXPECTED = {"good-change": "Succeeded", "breaks-checkout": "RolledBack", "cuts-scrape": "RolledBack"}


def demo(scenario: str, output: str, keep: Path | None, reports: Path | None = None) -> None:
    """Play the scenarios; raises BadInput where one of that name does not exist."""
    chosen = [s for s in play.scenarios() if scenario in ("", s.name)]
    if not chosen:
        names = ", ".join(s.name for s in play.scenarios())
        raise BadInput(f"there is no scenario {scenario}", hint=f"take one of {names}")
    formatted(output)
    logs.configure(level="error")
    console = edge.console(quiet=bool(output))
    found = []
    with play.repository(keep) as root, tempfile.TemporaryDirectory() as cache:
        console.print(f"A shop of twelve namespaces in memory; its policies are in Git at {root}\n")
        for item in chosen:
            state, revision = play.play(root, item, Path(cache))
            found.append(report(item.name, state))
            console.print(f"[bold]{item.name}[/bold]  commit {revision[:10]}  “{item.subject}”")
            events = moments(state)
            for moment in events:
                console.print(line(moment, events[0].time))
            console.print(_ending(found[-1]) + "\n")
            if reports:
                postmortem.every(state, reports / item.name)
    if reports:
        console.print(f"What a post-mortem needs is in {reports}: open NAME.html", markup=False)
    if output:
        printed({"rollouts": found}, output)
    wrong = [f["scenario"] for f in found if f["phase"] != EXPECTED[f["scenario"]]]
    if wrong:
        raise AssertionError(f"the demo did not end as it should: {', '.join(wrong)}")


def _ending(facts: dict[str, Any]) -> str:
    if facts["phase"] == "Succeeded":
        total = sum(len(w["namespaces"]) for w in facts["waves"])
        return f"  [bold green]Succeeded[/bold green]: {total} namespaces in {len(facts['waves'])} waves"
    seconds = facts["restoredSeconds"]
    return f"  [bold yellow]{facts['phase']}[/bold yellow], put back {seconds:.2g} s after it was noticed"
