"""A map is well-formed, its names are links for the keyboard, its lines lead from place to place."""

import xml.etree.ElementTree as ET
from itertools import pairwise

from orchestrator.record.drawings.map_drawing import Column, Place, Way, map_svg

NS = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b\ud800"


def place(key, **more):
    return Place(key, key.partition("/")[0], key.partition("/")[2], f"/map?namespace={key[:4]}", **more)


def drawn(columns, ways):
    root = ET.fromstring(map_svg(columns, ways, "Who may connect", "2 connections"))
    for node in root.iter():
        assert "style" not in node.attrib and not any(a.startswith("on") for a in node.attrib)
    return root


COLUMNS = [
    Column(
        "From",
        [
            place("shop/web"),
            place("shop/worker", open=True),
            Place("other", "", "other", "/map?namespace=other"),
        ],
    ),
    Column("To", [place("bank/db")]),
]


def test_places_are_links_and_the_picture_does_not_hide_them_from_a_screen_reader():
    root = drawn(COLUMNS, [])
    assert root.get("role") == "group" and root.get("aria-labelledby")
    links = {node.get("href"): node.get("aria-label") for node in root.iter(f"{NS}a")}
    assert links == {
        "/map?namespace=shop": "shop",
        "/map?namespace=other": "other",
        "/map?namespace=bank": "bank",
    }


def test_a_line_joins_the_places_that_it_names():
    ways = [Way(0, "shop/web", "bank/db", "same", "80"), Way(0, "other", "bank/db", "cut", "none")]
    root = drawn(COLUMNS, ways)
    joined = {(n.get("data-from"), n.get("data-to")) for n in root.iter(f"{NS}g") if n.get("class") == "way"}
    assert joined == {("0 shop/web", "1 bank/db"), ("0 other", "1 bank/db")}
    places = {n.get("data-place") for n in root.iter() if n.get("data-place")}
    assert {end for pair in joined for end in pair} <= places
    said = [n.text for n in root.iter(f"{NS}text")]
    assert "× cut" in said and "allowed" in said


def test_what_no_policy_guards_is_told_apart_without_colour():
    boxes = {n.get("class"): n.get("stroke-dasharray") for n in drawn(COLUMNS, []).iter(f"{NS}rect")}
    assert boxes["m-open"] and not boxes["m-box"]


def test_no_name_covers_another_and_all_are_within_the_picture():
    names = [f"namespace-{n % 7}/{'w' * (n * 3 % 70)}-{n}" for n in range(60)]
    root = drawn(
        [Column("From", [place(n) for n in sorted(names)]), Column("To", [place(n) for n in sorted(names)])],
        [],
    )
    wide, high = (float(v) for v in root.get("viewBox").split()[2:])
    columns = {}
    for node in root.iter(f"{NS}rect"):
        x, y, across, down = (float(node.get(k)) for k in ("x", "y", "width", "height"))
        assert x >= 0 and x + across <= wide and y + down <= high
        columns.setdefault(x, []).append(y)
    assert len(columns) == 2
    for ys in columns.values():
        assert all(b - a >= 17 for a, b in pairwise(ys))


def test_hostile_names_are_text_and_an_empty_map_can_be_drawn():
    hostile = Place(HOSTILE, HOSTILE, HOSTILE, f"/map?namespace={HOSTILE}", HOSTILE)
    root = drawn(
        [Column(HOSTILE, [hostile]), Column("To", [hostile])], [Way(0, HOSTILE, HOSTILE, "opened", HOSTILE)]
    )
    assert not list(root.iter(f"{NS}script"))
    drawn([Column("From", []), Column("To", [])], [])
