"""What people read uses the field's words: none of those that were retired, and none of the API's old names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What was said before, and what is said now: docs/glossary.md.
RETIRED = {
    r"\bput(s|ting)?( \w+)? back\b": "rolled back, restored, reverted",
    r"\b(its|their|namespaces') own past\b|\bown past\b": "baseline",
    r"\bno control\b(?! (plane|group|probe))|\bthe controls\b|\bevery control\b": "control group, control probe",
    r"\bto be told\b|\b(are|is|was|not) told\b|\bwho is told\b": "notified, sent",
    r"\b(looked at|looks?) (yet|again|every)\b|\b(two|how many|more|first|each|every|next|last) looks?\b": "check, poll",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bhow sure\b": "confidence",
    r"\b(for|no|or|takes|window,) room\b": "capacity",
    r"\bvouch(es|ed)?\b": "prove",
    r"\bheld revision\b|\brevision is held\b|\brevision is not held\b": "blocked revision",
    r"\bverified revision\b": "current revision",
    r"\bway back (asks|began|begins|is Failed|takes)\b|\bon (its|their) way back\b": "rollback",
    r"\b(get|gets|got) nowhere\b": "no progress",
}
# Names of the API that nobody was given in a release.
OLD_NAMES = [
    "heldRevision",
    "heldReason",
    "verifiedRevision",
    "verifiedRollout",
    "verifiedSince",
    "verifiedNamespaces",
    "vouchedAt",
    "doubtedAt",
    "leftOut",
    "lookedAt",
    "heldSeconds",
    "goOn",
    "GlassBroken",
    "WritersGone",
    "ApprovalsVouched",
    "PolicyStands",
    "Unvouched",
    "GaveUp",
    "NotDelivered",
    "Fought",
    "CannotTell",
    "AsVerified",
    "NobodyElse",
    "WritesUnderWay",
    "ProbesAgree",
    "netpol_canary_ticks_total",
    "netpol_canary_guard_leads",
]
# Where the words are ordinary English, by the file and a part of the line.
ALLOWED: set[tuple[str, str]] = set()


def pages():
    """Prose that stands in files of its own; of the changelog what is not the table of old names."""
    for pattern in (
        "docs/**/*.md",
        "docs/**/*.svg",
        "README.md",
        "CONTRIBUTING.md",
        "mkdocs.yml",
        "config/**/*.yaml",
    ):
        for path in sorted(ROOT.glob(pattern)):
            yield path, path.read_text()
    for path in sorted((ROOT / "orchestrator/server").rglob("*.html")):
        yield path, path.read_text()
    for path in sorted((ROOT / "orchestrator/server/pages/static").glob("*.js")):
        yield path, path.read_text()
    changes = ROOT / "CHANGELOG.md"
    lines = changes.read_text().splitlines()
    yield changes, "\n".join("" if line.lstrip().startswith("| ") else line for line in lines)


def literals():
    """Texts in the sources that may reach people: all with a space in them, but for docstrings that no command shows."""
    for package in ("orchestrator", "workflows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text())
            hidden = {id(d) for node in ast.walk(tree) if (d := _docstring(node)) and not _shown(path, node)}
            texts = [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden
            ]
            yield path, "\n\n".join(text for text in texts if " " in text)


def _docstring(node):
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            return first.value
    return None


def _shown(path, node):
    """Help of commands, and descriptions in CRDs."""
    command = "commands" in path.parts and isinstance(node, ast.FunctionDef) and node.decorator_list
    return command or (path.name == "model.py" and isinstance(node, ast.ClassDef))


def found(expression, texts):
    """Each place that has it, with its file; a line that is wrapped, or begins as a comment, reads on."""
    for path, text in texts:
        name = str(path.relative_to(ROOT))
        for paragraph in re.split(r"\n\s*#?\s*\n", text):
            whole = " ".join(re.sub(r"^\s*#+ ", "", line) for line in paragraph.splitlines())
            for match in expression.finditer(" ".join(whole.split())):
                place = match.string[max(0, match.start() - 60) : match.end() + 60]
                if not any(name == file and part in place for file, part in ALLOWED):
                    yield f"{name}: {place}"


@pytest.fixture(scope="module")
def texts():
    return [*pages(), *literals()]


@pytest.mark.exhaustive
@pytest.mark.parametrize("word", RETIRED, ids=RETIRED.values())
def test_what_people_read_has_no_retired_word(word, texts):
    assert list(found(re.compile(word, re.I), texts)) == []


def test_no_old_name_of_the_api_is_left(texts):
    assert list(found(re.compile(rf"\b({'|'.join(OLD_NAMES)})\b"), texts)) == []


def test_the_glossary_is_sorted_and_has_each_term_once():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", (ROOT / "docs/glossary.md").read_text(), re.M)
    terms = [term for term, _ in rows]
    assert terms == sorted(set(terms)) and len(terms) > 30
    assert all(text.endswith((".", ")")) for _, text in rows)


def test_what_is_said_now_is_in_the_glossary():
    glossary = (ROOT / "docs/glossary.md").read_text()
    for term in (
        "rolled back",
        "restored",
        "baseline",
        "control group",
        "notified",
        "fix",
        "capacity",
        "confidence",
    ):
        assert f"| **{term}** |" in glossary


def test_a_retired_word_would_be_seen():
    page = ROOT / "docs" / "index.md"
    said = [(page, "a regression puts everything back\nstatus.heldRevision is set")]
    hits = [w for w in RETIRED if list(found(re.compile(w, re.I), said))]
    assert len(hits) == 1 and len(list(found(re.compile(r"\bheldRevision\b"), said))) == 1
