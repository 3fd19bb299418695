"""`history`: the rollouts there were, how they ended, and how long things took, over time."""

from __future__ import annotations

import csv
import dataclasses
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.cli import wiring
from orchestrator.cli.archives import archived
from orchestrator.cli.report import aligned, formatted, printed
from orchestrator.cli.wiring import Target
from orchestrator.errors import BadInput
from orchestrator.record.axes import seconds_text
from orchestrator.record.search import Search, found
from orchestrator.record.summary import Bucket, Entry, Rates, Spread, Summary, entry, summary
from orchestrator.rollout.crd import NAMES
from orchestrator.rollout.model import GROUP
from orchestrator.rollout.resource import load
from orchestrator.steps.context import APPROVAL, ROLLOUT

UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
WIDTH = 32


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
        since = moment(self.since, now) if self.since else None
        return Search(self.source, self.namespace, self.person, self.commit, self.outcome, since)


def moment(text: str, now: datetime) -> datetime:
    """So long before now, or a date, or a time (UTC where no zone stands there). Raises BadInput."""
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    try:
        if match:
            return now - timedelta(seconds=int(match.group(1)) * UNITS[match.group(2)])
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadInput(f"--since {text} is no time", hint="write 12h, 7d, 4w or 2026-01-31") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def show(target: Target, asked: Asked, output: str, folder: Path | None) -> int:
    """A table, then rates and latencies."""
    formatted(output, "wide", "name", "csv")
    now = datetime.now(UTC)
    search = asked.search(now)
    entries = found(_archived(folder) if folder else _standing(target), search)
    if output in ("json", "yaml"):
        data = {"rollouts": [_plain(e) for e in entries], "summary": _plain(summary(entries, now))}
        printed(data, output)
    elif output == "csv":
        _csv(entries)
    elif output == "name":
        for one in entries:
            print(f"{NAMES['PolicyRollout'].plural}.{GROUP}/{one.name}")
    elif not entries:
        print("No rollout is like that.")
    else:
        print("\n".join([*_table(entries, output == "wide"), "", *_told(summary(entries, now))]))
    return 0


def _standing(target: Target) -> list[Entry]:
    ctx = wiring.connected(target)
    approvals = [load(o) for o in ctx.cluster.list(APPROVAL, ctx.namespace)]
    return [entry(load(o), approvals) for o in ctx.cluster.list(ROLLOUT, ctx.namespace)]


def _archived(folder: Path) -> list[Entry]:
    return [entry(s.rollout, s.approvals) for s in archived(folder)]


def _table(entries: Sequence[Entry], wide: bool) -> list[str]:
    titles = ["NAME", "SOURCE", "REVISION", "OUTCOME", "BEGAN", "TOOK", "PUT BACK IN", "PEOPLE"]
    more = ["LEAD", "WAITED", "RISK", "VERIFIED", "NAMESPACES", "REASON"]
    return aligned([titles + more if wide else titles, *(_row(e, wide) for e in entries)])


def _row(one: Entry, wide: bool) -> list[str]:
    cells = [
        one.name,
        one.source,
        one.revision if wide else one.revision[:10],
        one.phase,
        f"{one.started_at.astimezone(UTC):%Y-%m-%d %H:%M}" if one.started_at else "-",
        _seconds(one.seconds),
        _seconds(one.restored_seconds),
        _people(one, wide),
    ]
    if wide:
        waited = _seconds(one.waited_seconds or None)
        cells += [_seconds(one.lead_seconds), waited, one.risk, one.verified or "-"]
        cells += [",".join(one.namespaces), one.reason or "-"]
    return cells


def _people(one: Entry, wide: bool) -> str:
    text = " ".join(", ".join(dict.fromkeys((*one.people, *one.actors))).split()) or "-"
    return text if wide or len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _seconds(value: float | None) -> str:
    return "-" if value is None else seconds_text(value)


def _told(found: Summary) -> Iterator[str]:
    yield rates_text(found.rates)
    spreads = {
        "from commit to success": found.lead,
        "from beginning to end": found.running,
        "paused": found.waited,
        "from opening to detection": found.noticed,
        "from detection to restored": found.restored,
    }
    for title, spread in spreads.items():
        if spread is not None:
            yield f"{title}: {spread_text(spread)}"
    filled = [b for b in found.buckets if b.rates.total]
    if len(filled) > 1:
        yield ""
        titles = ["FROM", "ROLLOUTS", "SUCCEEDED", "ROLLED BACK", "FAILED", "LEAD", "PUT BACK IN"]
        yield from aligned([titles, *map(_bucket, filled)])


def _bucket(bucket: Bucket) -> list[str]:
    rates = bucket.rates
    lead, restored = (_seconds(s.median if s else None) for s in (bucket.lead, bucket.restored))
    counts = [str(n) for n in (rates.total, rates.succeeded, rates.rolled_back, rates.failed)]
    return [f"{bucket.start:%Y-%m-%d}", *counts, lead, restored]


def rates_text(rates: Rates) -> str:
    """`12 rollouts: 9 succeeded (82 %), 2 rolled back (18 %), 0 failed (0 %), 1 superseded, 1 running`."""
    told = []
    for word, count in (
        ("succeeded", rates.succeeded),
        ("rolled back", rates.rolled_back),
        ("failed", rates.failed),
    ):
        share = rates.share(count)
        told.append(f"{count} {word}" + (f" ({share * 100:.0f} %)" if share is not None else ""))
    told += [f"{n} {w}" for n, w in ((rates.superseded, "superseded"), (rates.running, "running")) if n]
    return f"{rates.total} {'rollout' if rates.total == 1 else 'rollouts'}: {', '.join(told)}"


def spread_text(spread: Spread) -> str:
    """The middle, nine of ten, the longest."""
    if spread.count == 1:
        return seconds_text(spread.median)
    median, ninth, longest = map(seconds_text, (spread.median, spread.ninth, spread.longest))
    return f"median {median}, nine of ten within {ninth}, longest {longest} ({spread.count} times)"


def _plain(value: Any) -> Any:
    """As JSON takes it, in camelCase."""
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value)]
        return {_camel(n): _plain(getattr(value, n)) for n in names}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _csv(entries: Sequence[Entry]) -> None:
    names = [f.name for f in dataclasses.fields(Entry)]
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(map(_camel, names))
    for one in entries:
        table.writerow(_field(_plain(getattr(one, name))) for name in names)


def _field(value: Any) -> Any:
    """Lists in one cell; a text that a spreadsheet would take for a formula is quoted."""
    value = "; ".join(value) if isinstance(value, list) else value
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
