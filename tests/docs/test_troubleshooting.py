"""What the troubleshooting page quotes is what the program says, and it leaves nothing out that a rollout waits for."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from orchestrator.rollout.resources.model import PauseReason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
HEAD = "| symptom | how to see it | cause | what to do |"


def rows():
    """The cells of each row of the tables of symptoms."""
    for table in PAGE.split(HEAD)[1:]:
        for line in table.splitlines()[2:]:
            if not line.startswith("|"):
                break
            yield [cell.strip() for cell in line.strip("|").split("|")]


ROWS = list(rows())
QUOTED = sorted({text for row in ROWS for text in re.findall("`([^`]+)`", row[0])})


@cache
def said():
    """Whatever stands in a literal of the program, in the manifests, or among the reasons and conditions."""
    texts = [(ROOT / "docs/reference/conditions.md").read_text()]
    texts += [path.read_text() for path in sorted((ROOT / "config").rglob("*.yaml"))]
    for package in ("orchestrator", "workflows"):
        for path in sorted((ROOT / package).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text()))
            texts += [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return "\n".join(texts)


def test_there_are_many_symptoms_each_with_a_command_a_cause_and_a_remedy():
    assert len(ROWS) > 40
    assert all(len(row) == 4 and all(row) for row in ROWS), [row for row in ROWS if len(row) != 4]


@pytest.mark.parametrize("text", QUOTED)
def test_a_symptom_is_quoted_as_the_program_says_it(text):
    assert text in said()


def test_everything_that_a_rollout_is_paused_for_is_there():
    assert set(filter(None, get_args(PauseReason))) <= set(QUOTED)
