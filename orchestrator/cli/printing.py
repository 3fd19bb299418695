"""What commands print: data for machines, tables for people, and notes beside both on standard error."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.harmless import one_line
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


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows under their head, on standard output."""
    print("\n".join(aligned([head, *rows])))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns under each other, as kubectl prints them; never cut to a terminal's width."""
    rows = [[cell.replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["   ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def spreadsheet(rows: Iterable[Sequence[object]]) -> None:
    """CSV on standard output."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


def note(text: str) -> None:
    """What whoever reads the output has to know, too, on standard error."""
    print(f"netpol-canary: {one_line(text)}", file=sys.stderr)


def report(name: str, state: State) -> dict[str, Any]:
    """A rollout's end: `name` is the demo's scenario, or empty."""
    rollout = state.rollout
    waves = []
    for number, wave in enumerate(rollout.spec.waves):
        analysis = state.analyses.get(number)
        names = wave.namespace_names
        waves.append(
            {
                "wave": number,
                "why": wave.why,
                "namespaces": names,
                "phases": {n.spec.namespace: n.status.phase for n in state.in_wave(number)},
                "watched": analysis.spec.watched if analysis else [],
                "controlGroup": analysis.spec.control_group if analysis else [],
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
