"""Recorded flows as commands take them: read from a file, and counted where they are of nothing that is here."""

import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.adapters.given_files import unreadable
from orchestrator.cli.printing import note
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.policy.network import recordings
from orchestrator.policy.network.recordings import Flow, read
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.wording import agreeing, few, many

MOST_GONE = 3
NONE_MATCHED = "no recorded connection is of workloads that are here: nothing is known of what would be cut"


def recorded(path: Path) -> list[Flow]:
    """The flows of a file; `-` is standard input. Raises BadInput."""
    if str(path) == "-":
        return read(sys.stdin, "standard input")
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return read(lines, str(path))
    except OSError as error:
        raise unreadable(error, path, "give a file of JSON lines") from None


def matched(found: recordings.Replay) -> bool:
    """Whether any recorded connection is of workloads that are here: of the others nothing is known."""
    return bool(found.allowed or found.cut)


def say_unknown(fleet: Fleet, unknown: Sequence[Flow]) -> None:
    """Count on standard error the recorded connections that were not read, and name the ends that are not here."""
    if not unknown:
        return
    ends, known = recordings.Ends(fleet), [f"{w.pod.namespace}/{w.pod.name}" for w in fleet.workloads]
    gone = list(dict.fromkeys(e for f in unknown for e in (f.src, f.dst) if ends.find(e) is None))
    named = [f"{e} ({h})" if (h := did_you_mean(e, known, "")) else e for e in gone[:MOST_GONE]]
    what = f"{many(len(unknown), 'recorded connection')} {agreeing(len(unknown), 'has', 'have')}"
    text = f"not read: {what} an end that is not here: {few([*named, *gone[MOST_GONE:]], MOST_GONE)}"
    note(text)
