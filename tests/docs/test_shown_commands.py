"""A command of ours that a page shows is there, with the options that it is shown with; so is a metric."""

import re
import shlex
from pathlib import Path

import pytest
from reference import commands, metrics

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.name != "cli.md")]
FENCED = re.compile(r"^ *```[^\n]*\n(.*?)```", re.S | re.M)
OURS = re.compile(
    r"(?:\$ |- |- run: )?netpol-canary ([a-z][^\n|;&>#)\\]*)"
)  # nothing of the shell's after it
COMMANDS = commands.commands()
EVERYWHERE = {"--help"}
ENDINGS = "_(total|bucket|sum|count|created)$"


def shown(page):
    """What follows the program's name where a line, or code within one, begins with it; once each."""
    text = re.sub(r"\\\n\s*", "", page.read_text())
    prose = FENCED.sub("", text)
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    lines += re.findall(r"^    (.*)$", prose, re.M)
    lines += [" ".join(span.split()) for span in re.findall("`([^`]+)`", prose)]
    return sorted({found[1].strip() for line in lines if (found := OURS.match(line.strip()))})


def words(text):
    """As a shell splits it; an apostrophe that opens nothing is a letter."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_command_that_is_shown_is_there_with_its_options(page):
    for text in shown(page):
        given = words(text)
        name = next((n for n in (" ".join(given[:2]), given[0]) if n in COMMANDS), None)
        assert name, f"there is no command {text!r}"
        known = {o for p in COMMANDS[name].params for o in (*p.opts, *p.secondary_opts)} | EVERYWHERE
        used = {word.partition("=")[0] for word in given if re.match(r"--?[a-z]", word)}
        assert used <= known, f"netpol-canary {text}: {sorted(used - known)}"


@pytest.fixture(scope="module")
def stems():
    """Names of what is served, without the endings that Prometheus adds."""
    registries = metrics.served(), metrics.GuardInstruments().registry
    return {re.sub(ENDINGS, "", metrics.served_name(c)) for r in registries for c in metrics.collectors(r)}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_metric_that_is_named_is_served(page, stems):
    named = set(re.findall(r"netpol_canary_\w+", page.read_text())) - {"netpol_canary_"}
    assert [name for name in sorted(named) if re.sub(ENDINGS, "", name) not in stems] == []
