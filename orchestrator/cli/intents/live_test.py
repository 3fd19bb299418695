"""`test --live`: a directory's PolicyTests as real connections in a cluster, with no rollout."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.adapters.kube.workloads import documents
from orchestrator.adapters.probes.job_pod import LIVE
from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.findings.junit import Case, suite
from orchestrator.cli.intents.policy_test import tests_in
from orchestrator.cli.policies.fleets import files_of
from orchestrator.cli.printing import formatted, printed
from orchestrator.cli.wiring import PROBE_IMAGE
from orchestrator.errors import BadInput
from orchestrator.policy.author.intents import MOST_SHOWN
from orchestrator.policy.author.live_intents import Outcome, Trial, outcome, trials
from orchestrator.policy.workloads.fleet import fleet
from orchestrator.ports import Probe, Prober, ProbeResult
from orchestrator.rollout.resources.model import Probing
from orchestrator.wording import agreeing, first, many

WORDS = {"holds": "ok  ", "fails": "FAIL", "unknown": "????", "skipped": "skip"}


def check(path: Path, target: Target, image: str, only: Sequence[str], output: str) -> int:
    """0 where every rule that probes can ask holds and at least one was asked, else 1. Raises BadInput."""
    formatted(output, "text", "junit")
    tests = tests_in(files_of(path), path)
    ctx = wiring.connected(target)
    prober = ctx.prober(Probing(image=image), f"{LIVE}{socket.gethostname()}-{os.getpid()}", ctx.beat)
    if prober is None:
        raise BadInput("which image do probe pods run?", hint=f"give --image or set {PROBE_IMAGE}")
    running = fleet(d for d in documents(ctx.cluster) if d.obj["kind"] in ("Namespace", "Pod"))
    wanted = trials(running, tests, only)
    results = _tried(prober, wanted)
    found = [outcome(t, [(r.observed, r.message) for r in rs]) for t, rs in zip(wanted, results, strict=True)]
    if output in ("json", "yaml"):
        printed({"tests": [_data(o, rs) for o, rs in zip(found, results, strict=True)]}, output)
    elif output == "junit":
        print(suite([_case(o) for o in found]))
    else:
        print("\n".join(_text(found)))
    bad = any(o.state in ("fails", "unknown") for o in found)
    return 1 if bad or all(o.state == "skipped" for o in found) else 0


def _tried(prober: Prober, wanted: Sequence[Trial]) -> list[list[ProbeResult]]:
    """The results of each trial; a connection that several ask for is tried once."""
    distinct = list(dict.fromkeys(c for t in wanted for c in t.connections))
    probes = [Probe(c.name, c.source, c.destination, c.port, c.protocol, c.reach, c.check) for c in distinct]
    by = dict(zip(distinct, prober.run(probes), strict=True))
    return [[by[c] for c in t.connections] for t in wanted]


def _text(found: Sequence[Outcome]) -> list[str]:
    lines = []
    for item in found:
        trial = item.trial
        lines.append(f"{WORDS[item.state]}  {trial.name}{_share(trial)}")
        told = first(item.problems, MOST_SHOWN)
        told += [f"not tried: {text}" for text in trial.untried]
        told += [f"because {trial.reason} ({trial.where})"] if item.problems and trial.reason else []
        lines += [f"      {line}" for line in told]
    counts = {word: sum(o.state == word for o in found) for word in WORDS}
    lines.append(
        f"{many(len(found), 'intent')} by real connections: "
        f"{counts['holds']} {agreeing(counts['holds'], 'holds', 'hold')}, "
        f"{counts['fails']} {agreeing(counts['fails'], 'does', 'do')} not, "
        f"{counts['unknown']} without an answer, {counts['skipped']} that no probe can ask"
    )
    if counts["skipped"] == len(found):
        lines.append("nothing was tried, so nothing is shown")
    return lines


def _share(trial: Trial) -> str:
    tried = len(trial.connections)
    return f" ({tried} of {many(trial.possible, 'connection')} tried)" if tried < trial.possible else ""


def _case(item: Outcome) -> Case:
    trial = item.trial
    if item.state == "holds":
        return Case(trial.name, trial.where)
    element = {"fails": "failure", "unknown": "error", "skipped": "skipped"}[item.state]
    untried = tuple(f"not tried: {text}" for text in trial.untried)
    return Case(trial.name, trial.where, element, (*item.problems, *untried))  # type: ignore[arg-type]


def _data(item: Outcome, results: Sequence[ProbeResult]) -> dict[str, Any]:
    trial = item.trial
    return {
        "name": trial.name,
        "where": trial.where,
        "state": item.state,
        "passed": item.state == "holds",
        "reason": trial.reason,
        "tried": len(trial.connections),
        "possible": trial.possible,
        "problems": list(item.problems),
        "notTried": list(trial.untried),
        "connections": [
            {
                "from": r.probe.source,
                "to": r.probe.destination,
                "port": r.probe.port,
                "protocol": r.probe.protocol,
                "expected": "reach" if r.probe.reachable else "blocked",
                "observed": {True: "reach", False: "blocked", None: "unknown"}[r.observed],
                "message": r.message,
            }
            for r in results
        ],
    }
