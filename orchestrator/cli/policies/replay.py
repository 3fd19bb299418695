"""`replay`: recorded connections against a directory's policies: which of them would be cut?"""

from pathlib import Path

from orchestrator.cli.policies.fleets import load, unread
from orchestrator.cli.policies.recorded import NONE_MATCHED, matched, recorded, say_unknown
from orchestrator.cli.printing import formatted, note, printed
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.network import recordings
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.wording import many

MOST_SHOWN = 50


def replay(
    path: Path, flows: Path, workloads: Path | None, cni: str, output: str, strict: bool = False
) -> int:
    """0 where every recorded connection is allowed, 1 where one is not; 2 where none is of workloads that are here.

    `strict` makes it 2 as well where any is not.
    """
    formatted(output, "text")
    (fleet,), seen = known_alone(load(path, more=workloads, cni=cni)), recorded(flows)
    found = recordings.replay(fleet, seen, profile(cni))
    say_unknown(fleet, found.unknown)
    short = not matched(found) or (strict and bool(found.unknown))
    code = 2 if short else 1 if found.cut else 0
    if not matched(found):
        note(f"{flows}: {NONE_MATCHED if seen else 'there is no recorded connection'}")
    if output in ("json", "yaml"):
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
        facts = {"allowed": found.allowed, "cut": rows, "unknown": unknown, "notRead": unread(fleet)}
        printed(facts, output)
    else:
        print("\n".join([*told(found), summary(found)]))
    return code


def told(found: recordings.Replay) -> list[str]:
    """A line for each connection that would be cut, and the rules that do it."""
    lines = []
    for cut in found.cut[:MOST_SHOWN]:
        lines.append(f"cut: {seen(cut.flow)}")
        lines += [f"    {reason}" for reason in cut.because]
    if len(found.cut) > MOST_SHOWN:
        lines.append(f"and {len(found.cut) - MOST_SHOWN} more")
    lines += [f"cut before the change, too: {seen(cut.flow)}" for cut in found.standing[:MOST_SHOWN]]
    if len(found.standing) > MOST_SHOWN:
        lines.append(f"and {len(found.standing) - MOST_SHOWN} more that were cut before")
    return lines


def seen(flow: recordings.Flow) -> str:
    """`shop/web to shop/redis on 6379/TCP, seen twice`."""
    times = {1: "once", 2: "twice"}.get(flow.count, f"{flow.count} times")
    return f"{flow.src} to {flow.dst} on {flow.port}/{flow.protocol}, seen {times}"


def summary(found: recordings.Replay) -> str:
    """One line of counts."""
    before = f", {len(found.standing)} cut before the change, too" if found.standing else ""
    ends = f"{len(found.unknown)} with an unknown end"
    return f"{many(found.allowed, 'recorded connection')} allowed, {len(found.cut)} cut{before}, {ends}"
