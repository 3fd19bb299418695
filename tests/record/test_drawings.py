"""Drawings are well-formed, hold nothing that a strict policy forbids, and tell kinds apart without colour."""

import random
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.record.curve_bounds import excess
from orchestrator.record.drawings.graph import MOST_LINKS, links_svg
from orchestrator.record.drawings.plot import curve_svg
from orchestrator.record.drawings.svg import shortened, width_of
from orchestrator.record.view import Curve, Link, Mark, Point

NS = "{http://www.w3.org/2000/svg}"
T = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b\ud800"


def drawn(svg):
    """Parsed; nothing that a content security policy without 'unsafe-inline' would stop."""
    root = ET.fromstring(svg)
    assert root.tag == f"{NS}svg" and root.get("role") == "img"
    for node in root.iter():
        assert node.tag.removeprefix(NS) in ("svg", "title", "desc", "path", "text", "circle", "g", "rect")
        assert not {"style", "href"} & set(node.attrib) and not any(a.startswith("on") for a in node.attrib)
    named = {node.get("id"): node.text for node in root if node.get("id")}
    assert all(named[i] for i in root.get("aria-labelledby").split())
    assert "nan" not in svg.lower().replace("unan", "") and "inf" not in svg.lower()
    return root


def texts(root):
    return [node.text for node in root.iter(f"{NS}text") if node.text]


def curve(values, kind="ratio", **more):
    points = tuple(
        Point(T + timedelta(seconds=30 * n), "Successful", v, 0.01, 0.02) for n, v in enumerate(values)
    )
    return Curve("errors", kind, "checkout", points, **more)


def lines(root, look):
    return [n for n in root.iter(f"{NS}path") if n.get("class") == look]


def test_a_value_that_is_missing_leaves_a_gap():
    broken = (0.01, 0.02, None, float("nan"), float("inf"), 0.03, 0.01)
    root = drawn(curve_svg(curve(broken)))
    assert len(lines(root, "p-seen")) == 2 + 1  # the legend's
    assert "no value" in texts(root)
    rings = [n for n in root.iter(f"{NS}circle") if n.get("class") == "p-bad"]
    assert len(rings) == 3 + 1


def test_moments_limits_and_sides_are_named():
    marks = [
        Mark(T + timedelta(seconds=s), k, k) for s, k in ((-9, "applied"), (61, "detected"), (61, "restored"))
    ]
    root = drawn(curve_svg(curve((0.1, 0.2), maximum=0.05), marks))
    said = texts(root)
    for word in (
        "applied",
        "detected",
        "restored",
        "checkout",
        "baseline: before the change",
        "control group, mean",
    ):
        assert word in said
    assert "at most 5 %" in said and "20 %" in said
    heights = [n.get("y") for n in root.iter(f"{NS}text") if n.text in ("detected", "restored")]
    assert len(set(heights)) == 2  # so that neither covers the other
    assert len(lines(root, "p-mark")) == 3
    dashes = {
        n.get("stroke-dasharray")
        for k in ("p-seen", "p-past", "p-control", "p-limit")
        for n in lines(root, k)
    }
    assert len(dashes) == 4


def test_what_was_before_the_change_is_drawn_up_to_it():
    marks = [Mark(T - timedelta(seconds=20), "applied", "written")]
    root = drawn(curve_svg(curve((0.1, 0.2)), marks))
    longest = max(lines(root, "p-seen"), key=lambda n: n.get("d").count("L"))
    assert longest.get("d").count("L") == 3
    expected = drawn(curve_svg(curve((0.1, 0.2), expects=True), marks))
    assert "baseline: expected by then" in texts(expected)


def test_a_limit_far_away_is_named_and_not_drawn():
    root = drawn(curve_svg(curve((1.0, 2.0), kind="value", maximum=1e6)))
    assert "at most 1M, not drawn" in texts(root)
    assert len(lines(root, "p-limit")) == 1


def test_a_rule_against_the_baseline_is_drawn_at_each_measurement_and_named():
    points = tuple(
        Point(T + timedelta(seconds=30 * n), "Successful", 90.0, 100.0 + 50 * n, None) for n in range(3)
    )
    root = drawn(
        curve_svg(Curve("requests", "volume", "checkout", points, min_ratio=0.6, max_increase=100.0))
    )
    assert {"at least 60 % of its baseline", "at most 100 above its baseline"} <= set(texts(root))
    drawn_rules = [n for n in lines(root, "p-limit") if n.find(f"{NS}title") is not None]
    assert [n.find(f"{NS}title").text for n in drawn_rules] == [
        "at least 60 % of its baseline",
        "at most 100 above its baseline",
    ]
    assert all(n.get("d").count("L") == 2 for n in drawn_rules)
    assert len(lines(root, "p-zone")) == 2
    flat = Curve("up", "scrape", "checkout", (Point(T, "Failed", 1.0, 3.0, None),))
    assert "at least 100 % of its baseline" in texts(drawn(curve_svg(flat)))


def test_what_a_rule_forbids_is_on_its_own_side():
    at_most = drawn(curve_svg(curve((0.1, 0.2), maximum=0.05)))
    at_least = drawn(curve_svg(curve((0.1, 0.2), minimum=0.05)))
    ends = [lines(root, "p-zone")[0].get("d").split("L")[-1] for root in (at_most, at_least)]
    assert float(ends[0].rstrip("Z").split()[1]) < float(ends[1].rstrip("Z").split()[1])


def test_the_worst_is_how_far_it_is_beyond_its_rule():
    def at(value, **more):
        return excess(Curve("m", "volume", "a", (Point(T, "Failed", value, 100.0, None),), **more))

    assert at(30.0, min_ratio=0.6) == pytest.approx(0.5) and at(60.0, min_ratio=0.6) == 0
    assert at(5.0, maximum=1.0) == pytest.approx(4.0) and at(0.5, maximum=0.0) == pytest.approx(0.5)
    assert excess(Curve("m", "volume", "a", ())) == 0 == at(None, maximum=1.0)


def test_no_word_covers_another():
    rng = random.Random(7)
    for _ in range(80):
        scale = 10.0 ** rng.randrange(-6, 9)
        values = [abs(rng.gauss(0, scale)) for _ in range(rng.randrange(1, 40))]
        kinds = ("applied", "promoted", "detected", "restored")
        marks = [Mark(T + timedelta(seconds=rng.randrange(2000)), k, "x") for k in kinds]
        limits = {"maximum": scale, "min_ratio": 0.6, "max_increase": scale / 2}
        root = drawn(curve_svg(curve(values, rng.choice(["ratio", "value"]), **limits), marks))
        boxes = [box(node) for node in root.iter(f"{NS}text") if node.text]
        for number, one in enumerate(boxes):
            for other in boxes[:number]:
                apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
                assert apart, (one, other)


def box(node):
    """Left, right, top, bottom of a word, as wide as the drawing takes it to be."""
    wide, x, y = width_of(node.text, 11), float(node.get("x")), float(node.get("y"))
    left = x - {"end": wide, "middle": wide / 2}.get(node.get("text-anchor"), 0)
    return left, left + wide, y - 8, y + 2


@pytest.mark.parametrize(
    "values",
    [(), (None,), (0.0,), (5.0,), (-3.0, -3.0), (1e-9, 2e-9), (1e299, -1e299), (1e308, -1e308), (5e-324,)],
)
@pytest.mark.parametrize("kind", ["ratio", "value", "volume", "scrape"])
def test_any_values_can_be_drawn(values, kind):
    drawn(curve_svg(curve(values, kind, minimum=1.0, maximum=float("nan"))))


def test_random_curves_stay_within_the_picture():
    rng = random.Random(5)
    for _ in range(60):
        count = rng.randrange(1, 200)
        scale = 10.0 ** rng.randrange(-8, 12)
        values = [rng.choice([None, rng.gauss(0, scale), 0.0]) for _ in range(count)]
        marks = [
            Mark(T + timedelta(seconds=rng.randrange(9000)), k, "x")
            for k in ("applied", "promoted", "detected", "restored")
        ]
        root = drawn(curve_svg(curve(values, rng.choice(["ratio", "value"])), marks))
        wide, high = (float(v) for v in root.get("viewBox").split()[2:])
        for node in root.iter(f"{NS}circle"):
            assert 0 <= float(node.get("cx")) <= wide and 0 <= float(node.get("cy")) <= high


def test_hostile_names_are_text():
    hostile = Curve(HOSTILE, "ratio", HOSTILE, (Point(T, "Failed", 1.0, None, None, HOSTILE),))
    root = drawn(curve_svg(hostile, [Mark(T, "applied", HOSTILE)]))
    assert "<script>" in root.find(f"{NS}title").text
    drawn(links_svg([Link(HOSTILE, f"a/{HOSTILE}", HOSTILE, "none", "cut", alarm=HOSTILE)]))


def link(n, change="cut", **more):
    return Link(f"ns-{n % 7}/w-{n}[Pod]", f"db/db-{n % 5}[Pod]", "all", "none", change, **more)


def test_kinds_of_connections_differ_by_sign_and_dashes():
    root = drawn(links_svg([link(1), link(2, "opened"), link(3, "narrowed")]))
    assert {"× cut", "+ opened", "− narrowed"} <= set(texts(root))
    dashes = {lines(root, f"g-{k}")[0].get("stroke-dasharray") for k in ("cut", "opened", "narrowed")}
    assert len(dashes) == 3


def test_a_large_diff_is_bounded_and_what_broke_is_in_it():
    many = [link(n) for n in range(500)] + [link(999, broken=True, alarm="still passes")]
    root = drawn(links_svg(many))
    assert f"and {501 - MOST_LINKS} more connections" in texts(root)
    assert "w-999" in [
        n.find(f"{NS}title").tail for n in root.iter(f"{NS}text") if n.find(f"{NS}title") is not None
    ]
    assert len(links_svg(many)) < 100_000


def test_addresses_stand_outside_and_no_connection_is_said():
    root = drawn(links_svg([Link("shop/web[Pod]", "10.0.0.0-10.0.0.9[External]", "none", "all", "opened")]))
    assert "outside" in texts(root)
    assert "no connection changes" in links_svg([])


def test_long_names_are_cut_in_the_middle():
    assert shortened("short", 200, 11) == "short"
    cut = shortened("a" * 50 + "b" * 50, 120, 11)
    assert cut[0] == "a" and cut[-1] == "b" and "…" in cut and len(cut) < 25
