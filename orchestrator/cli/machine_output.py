"""What machines read: facts of a rollout as plain data, printed as JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.harmless import visible
from orchestrator.rollout.next import State


def formatted(output: str, *more: str) -> None:
    """BadInput where `-o` is none of json, yaml and what this command takes besides."""
    known = ("json", "yaml", *more)
    if output not in ("", *known):
        raise BadInput(f"-o {output} is not known here", hint=f"take {', '.join(known)}")


def printed(data: Any, output: str) -> None:
    """JSON or YAML on standard output."""
    if output == "json":
        print(json.dumps(data, indent=2))
    else:
        import yaml

        print(yaml.safe_dump(data, sort_keys=False), end="")


def tame(text: str) -> str:
    """Without what a terminal would obey: names and subjects come from whoever commits."""
    return visible(text)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns under each other, as kubectl prints them; never cut to a terminal's width."""
    rows = [[tame(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["   ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def report(name: str, state: State) -> dict[str, Any]:
    """A rollout's end: `name` is the demo's scenario, or empty."""
    rollout = state.rollout
    waves = []
    for number, wave in enumerate(rollout.spec.waves):
        analysis = state.analyses.get(number)
        names = [n.name for n in wave.namespaces]
        waves.append(
            {
                "wave": number,
                "why": wave.why,
                "namespaces": names,
                "phases": {n: state.namespaces[n].status.phase for n in names if n in state.namespaces},
                "watched": analysis.spec.watched if analysis else [],
                "controls": analysis.spec.controls if analysis else [],
                "verdict": analysis.status.phase if analysis else "Pending",
            }
        )
    return {
        "name": rollout.name,
        **({"scenario": name} if name else {}),
        "revision": rollout.spec.revision,
        "phase": rollout.status.phase,
        "waves": waves,
        "reason": rollout.status.reason,
        "details": rollout.status.details,
        "restoredSeconds": rollout.status.restored_seconds,
    }
