"""Reports tell a post-mortem's facts; whatever the texts hold, they render as text."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from orchestrator.record.report.html import page
from orchestrator.record.report.markdown import inline, report
from orchestrator.record.report.overview import overview
from orchestrator.record.report.tables import MOST_ROWS, timeline
from orchestrator.record.summary import entry, summary
from orchestrator.record.view import Moment, ObjectDiff

HOSTILE = "<script>alert(1)</script> | `x` [a](javascript:b) **c** @everyone &amp; ```\n| --- |\n# d"


class Parsed(HTMLParser):
    """Tags that were opened and never closed, attributes, and the text."""

    VOID = {"meta", "path", "rect", "circle"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.said = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


@pytest.fixture
def hostile(bad):
    wave = bad.waves[0]
    (cell,) = wave.cells
    diff = ObjectDiff("NetworkPolicy/x", "update", HOSTILE, HOSTILE, "+ ````\n- </pre><script>")
    wave = replace(wave, alarms=(HOSTILE,), notes=(HOSTILE,), cells=(replace(cell, objects=(diff,)),))
    wave = replace(
        wave,
        links=(replace(wave.links[0], source=f"a/{HOSTILE}", because=(HOSTILE,)),),
        attempts=(replace(wave.attempts[0], source=HOSTILE, message=HOSTILE, good=False),),
        curves=(replace(wave.curves[0], metric=HOSTILE, namespace=HOSTILE),),
    )
    said = Moment(bad.moments[0].time, HOSTILE, HOSTILE, HOSTILE)
    return replace(
        bad,
        name=HOSTILE,
        authors=(HOSTILE,),
        commits=(HOSTILE,),
        waves=(wave,),
        moments=(said,),
        explained=((HOSTILE, HOSTILE),),
        boundaries=(HOSTILE,),
    )


def rows(markdown, title):
    """The cells of the table below a heading."""
    part = markdown.split(f" {title}\n", 1)[1].split("\n#", 1)[0]
    return [
        [c.strip() for c in line.strip("|").split(" | ")]
        for line in part.splitlines()
        if line.startswith("|")
    ]


def test_markdown_tells_what_broke_and_what_was_put_back(bad):
    text = report(bad)
    assert text.startswith(f"# Rollout {bad.name}: RolledBack\n")
    assert "- **Restored in:** 0.04 s" in text and "- **Rollback verified:** True: 9 probes" in text
    assert "- **connections:** checkout/checkout-0 to payments/payments-0 (all, now none)" in text
    columns, _, first, *_ = rows(text, "Metrics")
    assert columns[:4] == ["Metric", "Namespace", "Before", "Last"]
    assert first[:2] == ["client-errors", "checkout"] and "Failed" in first
    assert rows(text, "Waves")[3][:4] == ["1", "ahead", "web", "Pending"]
    assert 'n0 -.->|"cut all"| n1' in text
    assert "+          kubernetes.io/metadata.name: chekout" in text
    assert len(rows(text, "Timeline")) == 2 + len(bad.moments)


def test_markdown_of_a_promoted_rollout_has_no_why(good):
    text = report(good)
    assert "## Why" not in text and "Rolled back" not in text and text.count("## Wave ") == 3


def test_hostile_texts_stay_within_their_cells(hostile):
    text = report(hostile)
    assert "<script>alert" not in text and "@everyone" not in text
    assert re.search(r"(?<!\\)\]\(", text) is None
    for title in ("Waves", "Probes", "Connections", "Timeline"):
        part = text.split(f" {title}\n", 1)[1].split("\n\n#", 1)[0]
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines() if line.startswith("|")}
        assert len(bars) == 1, title
    assert text.count("\n`````diff\n") == 1 and "\n# d" not in text
    graph = text.split("```mermaid", 1)[1].split("```", 1)[0]
    assert not set("`<>@#*") & set(re.sub(r"-\.->|==>|-->", "", graph))


def test_inline_text_is_one_line_without_markup():
    assert inline("a\n b | c") == "a b \\| c"
    assert inline("<b> & `x`") == "&lt;b&gt; &amp; \\`x\\`"
    assert inline("ann@example.com, @ann") == "ann@example.com, @\u200bann"


def test_the_page_is_whole_and_loads_nothing(bad, good):
    for found in (bad, good):
        parsed = Parsed(page(found))
        assert parsed.open == [] and not {"script", "link", "img", "iframe"} & parsed.tags
        assert not {"style", "src", "href"} & {name for name, _ in parsed.attributes}
        assert not any(name.startswith("on") for name, _ in parsed.attributes)
        ids = [value for name, value in parsed.attributes if name == "id"]
        assert len(ids) == len(set(ids))
    text = page(bad)
    assert text.count('<svg xmlns="http://www.w3.org/2000/svg" class="plot"') == 5
    assert 'class="graph"' in text and "prefers-color-scheme: dark" in text and "@media print" in text
    assert "the change cuts connections of checkout, payments" in text


def test_the_same_drawing_in_two_waves_has_two_names(good):
    wave = good.waves[0]
    twice = replace(good, waves=(wave, replace(wave, number=1)))
    ids = [value for name, value in Parsed(page(twice)).attributes if name == "id"]
    assert len(ids) == len(set(ids)) > 0


def test_an_overview_tells_rates_and_draws_them_over_time(played):
    now = played["good-change"].rollout.status.started_at
    entries = [entry(s.rollout) for s in played.values()]
    entries.append(replace(entries[0], name=HOSTILE, authors=(HOSTILE,), reason=HOSTILE))
    text = overview(entries, summary(entries, now))
    parsed = Parsed(text)
    assert parsed.open == [] and "script" not in parsed.tags and text.count('class="trend"') == 3
    assert "3 rollouts: 2 succeeded (67 %), 1 rolled back (33 %), 0 failed (0 %)" in text
    assert "from detection to restored" in text and HOSTILE in parsed.said


def test_hostile_texts_are_text_on_the_page_too(hostile):
    text = page(hostile)
    parsed = Parsed(text)
    assert "script" not in parsed.tags and parsed.open == []
    assert "</pre><script>" in "".join(parsed.said)


def test_a_long_timeline_leaves_out_old_looks_and_never_how_it_ended(bad):
    began = bad.moments[0].time
    looks = [Moment(began + timedelta(seconds=n), "Measured", f"look {n}") for n in range(MOST_ROWS)]
    end = Moment(began + timedelta(days=1), "RolledBack", "rolled back")
    made = timeline([Moment(began, "WaveStarted", "wave 0 was opened"), *looks, end])
    said = [row[2] for row in made.rows]
    assert len(said) == MOST_ROWS and made.more == 2
    assert said[:2] == ["wave 0 was opened", "look 2"] and said[-1] == "rolled back"


def test_a_timeline_over_several_days_names_them(bad):
    first, later = (Moment(bad.moments[0].time + timedelta(days=n), "WaveStarted", "") for n in (0, 1))
    assert timeline([first]).rows[0][0] == f"{first.time:%H:%M:%S}"
    assert timeline([first, later]).rows[1][0] == f"{later.time:%Y-%m-%d %H:%M:%S}"
