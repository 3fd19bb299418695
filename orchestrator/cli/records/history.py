"""`history`: the rollouts there were, how they ended, and how long things took, over time."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.printing import aligned, formatted, printed, spreadsheet
from orchestrator.cli.records.archive_files import archived
from orchestrator.cli.times import ago
from orchestrator.context import APPROVAL, ROLLOUT
from orchestrator.record.report.listing import latencies, over_time, rates_text, rollouts
from orchestrator.record.report.overview import overview
from orchestrator.record.report.tables import Table
from orchestrator.record.search import Search, found
from orchestrator.record.summary import Entry, Summary, entry, summary
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.resource import load


@dataclass(frozen=True)
class Asked:
    """The options as they were given."""

    source: str = ""
    namespace: str = ""
    person: str = ""
    commit: str = ""
    outcome: str = ""
    since: str = ""

    def search(self, now: datetime) -> Search:
        since = ago(self.since, now) if self.since else None
        return Search(self.source, self.namespace, self.person, self.commit, self.outcome, since)


def show(target: Target, asked: Asked, output: str, folder: Path | None) -> int:
    """A table, then rates and latencies."""
    formatted(output, "wide", "name", "csv", "html")
    now = datetime.now(UTC)
    search = asked.search(now)
    entries = found(_archived(folder) if folder else _standing(target), search)
    if output in ("json", "yaml"):
        data = {"rollouts": [_plain(e) for e in entries], "summary": _plain(summary(entries, now))}
        printed(data, output)
    elif output == "csv":
        _csv(entries)
    elif output == "html":
        print(overview(entries, summary(entries, now)), end="")
    elif output == "name":
        for one in entries:
            print(f"{KINDS['PolicyRollout'].resource}/{one.name}")
    elif not entries:
        print("No rollout is like that.")
    else:
        table = rollouts(entries, output == "wide")
        print("\n".join([*_lines(table), "", *_told(summary(entries, now))]))
    return 0


def _standing(target: Target) -> list[Entry]:
    ctx = wiring.connected(target)
    approvals = [load(o) for o in ctx.cluster.list(APPROVAL, ctx.namespace)]
    return [entry(load(o), approvals) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]


def _archived(folder: Path) -> list[Entry]:
    return [entry(s.rollout, s.approvals) for s in archived(folder)]


def _lines(table: Table) -> list[str]:
    return aligned([[c.upper() for c in table.columns], *table.rows])


def _told(made: Summary) -> Iterator[str]:
    yield rates_text(made.rates)
    yield from (f"{title}: {text}" for title, text in latencies(made))
    table = over_time(made)
    if len(table.rows) > 1:
        yield from ("", *_lines(table))


def _plain(value: Any) -> Any:
    """As JSON takes it, in camelCase."""
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value)]
        return {_camel(n): _plain(getattr(value, n)) for n in names}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _csv(entries: Sequence[Entry]) -> None:
    names = [f.name for f in dataclasses.fields(Entry)]
    rows = ([_field(_plain(getattr(one, name))) for name in names] for one in entries)
    spreadsheet([[*map(_camel, names)], *rows])


def _field(value: Any) -> Any:
    """Lists in one cell; a text that a spreadsheet would take for a formula is quoted."""
    value = "; ".join(value) if isinstance(value, list) else value
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
