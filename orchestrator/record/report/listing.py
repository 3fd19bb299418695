"""Many rollouts in words and tables: for the terminal and for a page of their own."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from orchestrator.record.drawings.axes import seconds_text
from orchestrator.record.report.tables import Table
from orchestrator.record.summary import Bucket, Entry, Rates, Spread, Summary
from orchestrator.wording import many

COLUMNS = ("Name", "Source", "Revision", "Outcome", "Began", "Took", "Restored in", "People")
WIDE = (*COLUMNS, "Lead", "Waited", "Risk", "Verified", "Namespaces", "Decided", "Reason")
MOST_SHOWN = 32  # letters of people, where it is not wide


def rollouts(entries: Sequence[Entry], wide: bool = False) -> Table:
    """A row each."""
    return Table("Rollouts", WIDE if wide else COLUMNS, tuple(_row(e, wide) for e in entries))


def _row(one: Entry, wide: bool) -> tuple[str, ...]:
    cells = (
        one.name,
        one.source,
        one.revision if wide else one.revision[:10],
        one.phase,
        f"{one.started_at.astimezone(UTC):%Y-%m-%d %H:%M}" if one.started_at else "-",
        _seconds(one.seconds),
        _seconds(one.restored_seconds),
        _people(one, wide),
    )
    if not wide:
        return cells
    waited, names = _seconds(one.waited_seconds or None), ", ".join(one.namespaces)
    decided = " ".join("; ".join(one.decisions).split()) or "-"
    more = (_seconds(one.lead_seconds), waited, one.risk, one.verified or "-", names, decided)
    return (*cells, *more, one.reason or "-")


def _people(one: Entry, wide: bool) -> str:
    text = " ".join(", ".join(dict.fromkeys((*one.authors, *one.actors))).split()) or "-"
    return text if wide or len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _seconds(value: float | None) -> str:
    return "-" if value is None else seconds_text(value)


def rates_text(rates: Rates) -> str:
    """`12 rollouts: 9 succeeded (82 %), 2 rolled back (18 %), 0 failed (0 %), 1 superseded, 1 running`."""
    told = []
    counts = (("succeeded", rates.succeeded), ("rolled back", rates.rolled_back), ("failed", rates.failed))
    for word, count in counts:
        share = rates.share(count)
        told.append(f"{count} {word}" + (f" ({share * 100:.0f} %)" if share is not None else ""))
    told += [f"{n} {w}" for n, w in ((rates.superseded, "superseded"), (rates.running, "running")) if n]
    return f"{many(rates.total, 'rollout')}: {', '.join(told)}"


def spread_text(spread: Spread) -> str:
    """The middle, nine of ten, the longest."""
    if spread.count == 1:
        return seconds_text(spread.median)
    median, ninth, longest = map(seconds_text, (spread.median, spread.ninth, spread.longest))
    return f"median {median}, nine of ten within {ninth}, longest {longest} ({spread.count} times)"


def latencies(found: Summary) -> Iterator[tuple[str, str]]:
    """A title and a text for each that happened."""
    spreads = {
        "from commit to success": found.lead,
        "from beginning to end": found.running,
        "paused": found.waited,
        "from opening to detection": found.noticed,
        "from detection to restored": found.restored,
    }
    return ((title, spread_text(spread)) for title, spread in spreads.items() if spread is not None)


def over_time(found: Summary) -> Table:
    """A row for each day, week or four weeks in which something began; latencies are medians."""
    columns = ("From", "Rollouts", "Succeeded", "Rolled back", "Failed", "Lead", "Restored in")
    rows = tuple(_bucket(b) for b in found.buckets if b.rates.total)
    return Table("Over time", columns, rows)


def _bucket(bucket: Bucket) -> tuple[str, ...]:
    rates = bucket.rates
    lead, restored = (_seconds(s.median if s else None) for s in (bucket.lead, bucket.restored))
    counts = (str(n) for n in (rates.total, rates.succeeded, rates.rolled_back, rates.failed))
    return f"{bucket.start:%Y-%m-%d}", *counts, lead, restored
