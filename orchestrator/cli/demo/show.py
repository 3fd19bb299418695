"""What the demo prints."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.cli import edge, logs
from orchestrator.cli.app import OWN
from orchestrator.cli.demo import shop_demo as play
from orchestrator.cli.printing import formatted, printed
from orchestrator.cli.records import report as postmortem
from orchestrator.cli.rollouts.progress import line
from orchestrator.cli.rollouts.rollout_end import report
from orchestrator.errors import BadInput
from orchestrator.record.timeline import moments
from orchestrator.sandbox import shop, shop_workloads
from orchestrator.wording import many

EXPECTED = {
    "good-change": "Succeeded",
    "breaks-checkout": "RolledBack",
    "cuts-scrape": "RolledBack",
    "cilium": "RolledBack",
    "pods": "RolledBack",
    "expand": "RolledBack",
    "cluster-wide": "RolledBack",
}


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
    for text in _tour(keep, chosen[-1].name) if keep else _next():
        console.print(text, markup=False, soft_wrap=True)
    if output:
        printed({"rollouts": found}, output)
    wrong = [f["scenario"] for f in found if f["phase"] != EXPECTED[f["scenario"]]]
    if wrong:
        raise AssertionError(f"the demo did not end as it should: {', '.join(wrong)}")


def _tour(root: Path, tag: str) -> Iterator[str]:
    """What to ask of the repository that stays; each scenario's commit has its name as a tag."""
    yield f"The repository stays in {root}; ask it, for example:"
    yield f"  netpol-canary reach {root} --to payments"
    yield f"  netpol-canary why {root} --from email --to payments --port {shop.HTTP}"
    yield f"  netpol-canary diff {tag}~1..{tag} --path {root}"
    yield f"  netpol-canary replay {root} --flows {root / shop_workloads.FLOWS}"
    yield f"and lint, test, generate; edit a policy, and: netpol-canary check {root} --base HEAD"


def _next() -> Iterator[str]:
    """Three steps from here, as they may be typed where this command was."""
    steps = {
        "demo --serve": "the shop's web pages, where a change waits for your approval",
        "demo --keep shop": "its repository, to ask who may connect to whom, and to edit",
        "lint .": "what is probably wrong with policies of your own, in their directory",
    }
    yield "Next:"
    for step, text in steps.items():
        yield f"  {typed()} {step:<18} # {text}"


def typed() -> str:
    """This command as people type it: by its path where the shell would not find it, or another one, by its name."""
    own = Path(sys.argv[0])
    found = shutil.which(OWN)
    return OWN if own.name != OWN or (found and Path(found).resolve() == own.resolve()) else str(own)


def _ending(facts: dict[str, Any]) -> str:
    if facts["phase"] == "Succeeded":
        total = sum(len(w["namespaces"]) for w in facts["waves"])
        return f"  [bold green]Succeeded[/bold green]: {many(total, 'namespace')} in {many(len(facts['waves']), 'wave')}"
    seconds = facts["restoredSeconds"]
    return f"  [bold yellow]{facts['phase']}[/bold yellow], restored {seconds:.2g} s after detection"
