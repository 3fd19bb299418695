"""`replay`: recorded connections against a directory's policies: which of them would be cut?"""

from __future__ import annotations

from pathlib import Path

from orchestrator.cli.generate import recorded
from orchestrator.cli.network import load
from orchestrator.cli.report import formatted, printed
from orchestrator.policy import flows as recordings
from orchestrator.policy.reading import profile

MOST_SHOWN = 50


def replay(path: Path, flows: Path, workloads: Path | None, cni: str, output: str) -> int:
    """0 where every recorded connection is allowed, else 1."""
    formatted(output, "text")
    found = recordings.replay(load(path, more=workloads), recorded(flows), profile(cni))
    if output:
        rows = [
            {
                "from": c.flow.src,
                "to": c.flow.dst,
                "port": c.flow.port,
                "protocol": c.flow.protocol,
                "count": c.flow.count,
                "because": list(c.because),
            }
            for c in found.cut
        ]
        unknown = [{"from": f.src, "to": f.dst, "port": f.port} for f in found.unknown]
        printed(
            {"allowed": found.allowed, "cut": rows, "unknown": unknown},
            output if output != "text" else "yaml",
        )
        return 1 if found.cut else 0
    print("\n".join([*told(found), summary(found)]))
    return 1 if found.cut else 0


def told(found: recordings.Replay) -> list[str]:
    """A line for each connection that would be cut, and the rules that do it."""
    lines = []
    for cut in found.cut[:MOST_SHOWN]:
        flow = cut.flow
        lines.append(f"cut: {flow.src} to {flow.dst} on {flow.port}/{flow.protocol}, seen {flow.count} times")
        lines += [f"    {reason}" for reason in cut.because]
    if len(found.cut) > MOST_SHOWN:
        lines.append(f"and {len(found.cut) - MOST_SHOWN} more")
    return lines


def summary(found: recordings.Replay) -> str:
    """One line of counts."""
    return f"{found.allowed} recorded connections allowed, {len(found.cut)} cut, {len(found.unknown)} with an unknown end"
