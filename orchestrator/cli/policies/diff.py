"""`diff`: what a change of manifests does to the network, as a table, data, or Markdown for a pull request."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import harmless
from orchestrator.adapters.git.rule_history import History
from orchestrator.adapters.git.worktree import files_at, merge_base
from orchestrator.cli.app import Target
from orchestrator.cli.policies.fleets import (
    elsewhere,
    files_of,
    fleet_of,
    load,
    say_idle,
    say_unread,
    standing,
    unread,
)
from orchestrator.cli.printing import aligned, formatted, printed, spreadsheet
from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import Document, Known, parse_all
from orchestrator.policy.impact.impact import Impact, impact
from orchestrator.policy.network.connection_diff import Change, changes
from orchestrator.policy.network.left_open import LeftOpen, left_open
from orchestrator.policy.network.outside import Row, gathered
from orchestrator.policy.network.ranges import Range
from orchestrator.policy.network.recordings import Flow, travelled
from orchestrator.policy.objects import port_sets
from orchestrator.policy.schemas.acceptable import accepted
from orchestrator.policy.schemas.policy_kinds import is_policy, namespaced
from orchestrator.policy.workloads.comparable import known_alone, not_compared
from orchestrator.policy.workloads.fleet import Fleet, fleet, into

MOST_DRAWN = 60
MOST_ROWS = 200
MOST_FIRST = 20
SIGNS = {"opened": "➕ opened", "widened": "➕ widened", "cut": "➖ cut", "narrowed": "➖ narrowed"}
WORST = ("opened", "cut", "widened", "narrowed")
MOST_TABLE = 24_000  # characters, and of the graph below: with what else a comment says, it stays below the 65,536 of one
MOST_GRAPH = 10_000
MOST_NAMED, MOST_NAMES = 10, 1_500  # items, and their characters
MOST_CAUSES = 6
MOST_UNREAD = 3_000


@dataclass(frozen=True)
class Difference:
    """The connections that change, what that means, how many workloads were not compared, and rules of which nobody knows what they open."""

    changes: list[Change]
    impact: Impact
    unknown: int = 0
    left_open: Sequence[LeftOpen] = ()

    @property
    def nothing(self) -> str:
        """What is said where no change is known."""
        return (
            f"no connection changes{' among those that are known' if self.unknown or self.left_open else ''}"
        )


def compare(
    old: Fleet,
    new: Fleet,
    settled: Mapping[str, bool],
    commits: History | None = None,
    own: str = "netpol-canary",
    flows: Iterable[Flow] = (),
) -> Difference:
    """Both sides of a change; recorded `flows` show which ports are used."""
    first, last = known_alone(old, new)
    found = changes(first, last, settled, commits, travelled(last, flows), replicas=True)
    return Difference(
        found, impact(first, last, found, settled, own), not_compared(old, new), left_open(old, new)
    )


def diff(
    before: str,
    after: str,
    path: Path,
    live: bool,
    workloads: Path | None,
    cni: str,
    output: str,
    target: Target,
) -> int:
    """Print what the change opens, cuts and alters."""
    formatted(output, "text", "csv", "markdown")
    commits: History | None = None
    known = Known()
    if live:
        if after or (".." in before and not Path(before).is_dir()):
            raise BadInput(
                "against the cluster or against another state?", hint="give one directory with --cluster"
            )
        old, new = (f.under(cni) for f in _over_cluster(Path(before), target))
    elif after:
        old, new = (load(Path(p), more=workloads, said=False, cni=cni, known=known) for p in (before, after))
    elif ".." in before and not Path(before).is_dir():
        first, last = _span(before, path)
        more = elsewhere(workloads, path)
        old, new = (
            fleet_of(files_at(path, r), f"{path} at {r}", True, more=more, cni=cni, known=known)
            for r in (first, last)
        )
        if not old.workloads and not new.workloads:
            raise BadInput(
                f"there is no workload in {path} at {first} or {last}",
                hint="--workloads DIR takes them from elsewhere: without, no connection is known",
            )
        commits = History(path, first, last)
    else:
        raise BadInput(
            f"{before} against what?", hint="give two directories, revisions such as main..HEAD, or --cluster"
        )
    say_unread(old, new)
    say_idle(new)
    found = compare(old, new, profile(cni), commits, target.namespace)
    if output in ("json", "yaml"):
        printed({**as_data(found), "notRead": unread(old, new)}, output)
    elif output == "csv":
        head = ("change", "from", "to", "before", "after", "note")
        spreadsheet([head, *((*_cells(c), c.note) for c in found.changes)])
    elif output == "markdown":
        print("\n".join([*markdown(found), *not_analysed(unread(old, new))]))
    else:
        print("\n".join(as_text(found)))
    return 0


def _span(text: str, path: Path) -> tuple[str, str]:
    """`A..B` are both as they are; `A...B` begins where B parted from A, as in git. Raises BadInput."""
    first, dots, last = re.split(r"(\.{2,3})", text, maxsplit=1)
    first, last = first or "HEAD", last or "HEAD"
    if dots == "..":
        return first, last
    if not (began := merge_base(path, first, last)):
        raise BadInput(
            f"no common commit of {first} and {last} is here", hint="fetch more of the history, or write A..B"
        )
    return began, last


def _over_cluster(path: Path, target: Target) -> tuple[Fleet, Fleet]:
    """The cluster as it is, and with a directory's policies laid over it, as `kubectl apply` would."""
    stands = standing(target)
    given = parse_all(files_of(path))
    policies = [d for d in given if is_policy(d.obj)]
    if not policies:
        raise BadInput("there is no policy here", str(path))
    spaces = {d.obj["metadata"]["name"] for d in stands if d.obj["kind"] == "Namespace"}
    policies = [p for d in policies for p in into(d, spaces)]
    replaced = {_identity(d) for d in policies}
    kept = [d for d in stands if _identity(d) not in replaced]
    for document in policies:
        accepted(document)
    return fleet(stands, live=True), fleet([*kept, *policies], live=True)


def _identity(document: Document) -> tuple[str, str, str, str]:
    metadata = document.obj["metadata"]
    space = metadata.get("namespace") or "default" if namespaced(document.obj) else ""
    group = str(document.obj["apiVersion"]).rpartition("/")[0]
    return group, document.obj["kind"], str(metadata.get("namespace") or space), str(metadata["name"])


def as_data(found: Difference) -> dict[str, Any]:
    """Plain data for JSON and YAML."""
    rows = [
        {
            "change": c.kind,
            "words": list(c.words),
            "from": c.src.name,
            "to": c.dst.name,
            "before": port_sets.text(c.before),
            "after": port_sets.text(c.after),
            "because": list(c.because),
            "note": c.note,
        }
        for c in found.changes
    ]
    effect = found.impact
    said = {
        "exposed": list(effect.exposed),
        "isolated": list(effect.isolated),
        "dnsLost": list(effect.without_dns),
        "apiServerCut": list(effect.uncallable),
        "scrapesLost": list(effect.scrapes),
        "ownWayLost": list(effect.own),
    }
    return {"changes": rows, "impact": said, "notCompared": found.unknown}


def _hurting(change: Change) -> tuple[bool, int, bool]:
    """The worst first, as in a pull request's comment; what comes or goes with its workload last."""
    return bool(change.note), min(map(WORST.index, change.words)), not isinstance(change.src, Range)


def _cells(c: Change) -> list[str]:
    return [c.said, c.src.name, c.dst.name, port_sets.text(c.before), port_sets.text(c.after)]


def as_text(found: Difference) -> list[str]:
    titled = [f"{title}: {', '.join(items)}" for title, items in found.impact.told()]
    if not found.changes:
        return [found.nothing, *titled]
    changes_ = sorted(found.changes, key=_hurting)
    first, *rows = aligned([["CHANGE", "FROM", "TO", "BEFORE", "AFTER"], *map(_cells, changes_)])
    lines = [first]
    for row, change in zip(rows, changes_, strict=True):
        reasons = (*change.because, *([change.note] if change.note else []))
        lines += [row, *(f"    {reason}" for reason in reasons)]
    return [*lines, *titled, count(found.changes)]


def count(found: Sequence[Change | Row]) -> str:
    """`2 opened, 1 narrowed`; one that gains and loses ports counts as both."""
    counts = Counter[str](word for c in found for word in c.words)
    return ", ".join(f"{counts[word]} {word}" for word in SIGNS if counts[word])


def markdown(found: Difference, said: Container[tuple[str, str]] = ()) -> list[str]:
    """What it means, the worst connections, and in `<details>` all of them with the reasons, and a graph.

    `said` is what stands above it already, by kind of risk and item.
    """
    if not found.changes:
        return [f"{found.nothing.capitalize()}.", *_meant(found, said)]
    rows = gathered(found.changes)
    lines = [f"**Connections: {count(rows)}**", *_meant(found, said)]
    lines += ["", "| | from | to | before | after |", "|---|---|---|---|---|"]
    first = fitting((_row(r) for r in rows[:MOST_FIRST]), MOST_TABLE // 4)
    lines += first
    if len(rows) > len(first):
        lines += ["", f"and {len(rows) - len(first)} more"]
    lines += ["", "<details><summary>Reasons</summary>", ""]
    lines += ["| | from | to | before | after | because |", "|---|---|---|---|---|---|"]
    kept = fitting((_row(r, _causes(r)) for r in rows[:MOST_ROWS]), MOST_TABLE)
    lines += kept
    if len(rows) > len(kept):
        lines += ["", f"and {len(rows) - len(kept)} more"]
    return [*lines, *_graph(rows[: min(len(kept), MOST_DRAWN)]), "", "</details>"]


def _meant(found: Difference, said: Container[tuple[str, str]]) -> list[str]:
    lines = []
    for title, items in found.impact.told(said):
        named = fitting(map(harmless.code, items[:MOST_NAMED]), MOST_NAMES)
        more = f" and {len(items) - len(named)} more" if len(items) > len(named) else ""
        lines += ["", f"⚠️ **{title}**: {', '.join(named)}{more}"]
    return lines


def not_analysed(said: Sequence[str]) -> list[str]:
    """What was not taken into account, folded away: whoever reads a comment sees no standard error."""
    if not said:
        return []
    kept = fitting((f"- {harmless.markdown(text)}" for text in said), MOST_UNREAD)
    more = [f"- and {len(said) - len(kept)} more"] if len(kept) < len(said) else []
    title = f"<details><summary>Not analysed: {len(said)}</summary>"
    return ["", title, "", *kept, *more, "", "</details>"]


def fitting(lines: Iterable[str], most: int) -> list[str]:
    """The first lines that are together no longer than so many characters."""
    found: list[str] = []
    for line in lines:
        most -= len(line) + 1
        if most < 0:
            break
        found.append(line)
    return found


def _row(row: Row, *more: str) -> str:
    ends = map(harmless.markdown, (row.src, row.dst, port_sets.text(row.before), port_sets.text(row.after)))
    return "| " + " | ".join(["<br>".join(SIGNS[word] for word in row.words), *ends, *more]) + " |"


def _causes(row: Row) -> str:
    said = (*row.because[:MOST_CAUSES], *([row.note] if row.note else []))
    causes = [harmless.markdown(text) for text in said]
    if len(row.because) > MOST_CAUSES:
        causes.append(f"and {len(row.because) - MOST_CAUSES} more")
    return "<br>".join(causes)


def _graph(drawn: Sequence[Row]) -> list[str]:
    """The connections as Mermaid draws them; nothing where that is too long, for a part of a graph misleads."""
    number = {n: f"n{i}" for i, n in enumerate(sorted({name for r in drawn for name in (r.src, r.dst)}))}
    arrows = {"opened": "==>", "widened": "==>", "cut": "-.->", "narrowed": "-.->"}
    lines = ["", "```mermaid", "graph LR"]
    lines += [f'  {n}["{harmless.mermaid(name)}"]' for name, n in number.items()]
    for row in drawn:
        label = harmless.mermaid(port_sets.text(row.before if row.kind == "lost" else row.after))
        lines.append(
            f'  {number[row.src]} {"-->" if len(row.words) > 1 else arrows[row.words[0]]}|"{label}"| {number[row.dst]}'
        )
    return [*lines, "```"] if sum(map(len, lines)) <= MOST_GRAPH else []
