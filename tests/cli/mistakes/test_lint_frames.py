"""People see a finding with the line of its file, a caret below the place, the field's path and one fix."""

import sys

import pytest

from orchestrator.cli.mistakes.frames import FRAMES

PODS = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: db}]}
"""
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: bd}}
  ingress:
  - from:
    - podSelector: {matchLabels: {app: wbe}}
"""
WIDE = """{"kind": "NetworkPolicy", "metadata": {"name": "db", "namespace": "shop", "annotations":
{"a": "\U0001f980\u4e2d"}}, "spec": {"podSelector": {"matchLabels": {"app": "bd"}}}, "apiVersion": "networking.k8s.io/v1"}
"""
OFF = "lint: {NPC004: off, NPC008: off}\n"


@pytest.fixture
def linted(netpol, tmp_path, monkeypatch):
    """`linted(policy, *options)` of a folder with two pods and a policy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv(FRAMES, raising=False)

    def go(policy, *options):
        for name, text in {"pods.yaml": PODS, "db.yaml": policy, ".netpol-canary.yaml": OFF}.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return netpol("lint", ".", *options)

    return go


def test_each_finding_stands_with_its_place_and_its_fix(linted):
    assert linted(POLICY, "-o", "full").out.splitlines() == [
        "warning NPC001 NetworkPolicy shop/db: its podSelector matches no workload",
        " --> db.yaml:5:3 (spec.podSelector)",
        "  |",
        "5 |   podSelector: {matchLabels: {app: bd}}",
        "  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  = help: did you mean app: db?",
        "",
        "warning NPC002 NetworkPolicy shop/db: ingress[0].from[0] matches no workload",
        " --> db.yaml:8:7 (spec.ingress[0].from[0])",
        "  |",
        "8 |     - podSelector: {matchLabels: {app: wbe}}",
        "  |       ^^^^^^^^^^^",
        "  = help: did you mean app: web?",
        "",
        "2 findings",
    ]


def test_one_line_each_stays_where_scripts_read_and_where_somebody_asks_for_it(linted, monkeypatch):
    concise = linted(POLICY, "-o", "concise").out
    assert concise.splitlines() == [
        "db.yaml:5: warning NPC001 NetworkPolicy shop/db: its podSelector matches no workload",
        "db.yaml:8: warning NPC002 NetworkPolicy shop/db: ingress[0].from[0] matches no workload",
        "2 findings",
    ]
    full = linted(POLICY, "-o", "full").out
    assert linted(POLICY).out == concise
    monkeypatch.setenv(FRAMES, "1")
    assert linted(POLICY).out == full and linted(POLICY, "-o", "concise").out == concise
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv(FRAMES, "0")
    assert linted(POLICY).out == concise


@pytest.mark.parametrize("output", ["json", "yaml", "sarif", "github", "junit", "gitlab"])
def test_formats_of_machines_are_the_same_whoever_looks(linted, monkeypatch, output):
    before = linted(POLICY, "-o", output).out
    monkeypatch.setenv(FRAMES, "1")
    assert linted(POLICY, "-o", output).out == before


@pytest.mark.parametrize(
    ("change", "text", "marked"),
    [
        (("\n", "\r\n"), "5 |   podSelector: {matchLabels: {app: bd}}", "podSelector: {matchLabels: {app: bd}}"),
        ((POLICY, WIDE), None, '"podSelector": {"matchLabels": {"app": "bd"}}'),
        (("{app: bd}}", "{app: bd}} # \u202e\u200f"), None, "podSelector: {matchLabels: {app: bd}}"),
        (("podSelector: {", "podSelector:\t{"), None, "podSelector:    {matchLabels: {app: bd}}"),
        (("  podSelector: {matchLabels: {app: bd}}\n", "  podSelector:\n    matchLabels: {app: bd}\n"), None, "podSelector"),
    ],
    ids=["CRLF", "wide", "controls", "tab", "over several lines"],
)  # fmt: skip
def test_the_caret_is_below_the_whole_of_what_is_meant_in_its_line(linted, change, text, marked):
    lines = linted(POLICY.replace(*change), "-o", "full").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("warning NPC001"))
    shown, carets = lines[at + 3 : at + 5]
    assert text is None or shown == text
    begin = carets.index("^")
    wide = sum(c in "\U0001f980\u4e2d" for c in shown)  # they take two columns each
    assert shown[begin - wide :].startswith(marked) and carets.count("^") == len(marked)
    assert "\u202e" not in "".join(lines)


def test_no_line_of_a_file_with_a_secret_is_shown(linted):
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: hunter2}\n"
    told = linted(POLICY + secret, "-o", "full").out
    assert "db.yaml:5:3" in told and "since a Secret stands in the file" in told and "did you mean" in told
    assert "hunter2" not in told and "podSelector: {" not in told


def test_a_credential_within_a_line_is_stars(linted):
    note = "metadata: {name: db, namespace: shop, annotations: {token: hunter2, x: [y]}}"
    told = linted(POLICY.replace("metadata: {name: db, namespace: shop}", note), "-o", "full").out
    assert "hunter2" not in told


def test_a_manifest_that_cannot_be_read_is_drawn_once(linted, monkeypatch):
    monkeypatch.setenv(FRAMES, "1")
    done = linted("kind: [x\n")
    assert done.code == 2 and "close the list with ]" in done.out
    assert done.out.count("1 | kind: [x") == 1 and " | " not in done.err
    done = linted("kind: [x\n", "-o", "json")
    assert done.code == 2 and "1 | kind: [x" in done.err


def test_what_stands_in_no_text_that_was_read_is_named_with_its_fix(netpol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"apps/pods.yaml": PODS, "policies/db.yaml": POLICY}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    lines = netpol("lint", "policies", "--workloads", "apps", "-o", "full").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("info NPC004 shop/web"))
    assert lines[at + 1] == " --> apps/pods.yaml:1:1" and lines[at + 2].startswith(
        "  = help: give the namespace"
    )
