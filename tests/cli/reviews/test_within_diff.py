"""Where a finding is shown that stands outside of the diff: at what it names of it, else at its beginning."""

import pytest

from orchestrator.adapters.git.changed_lines import Hunk
from orchestrator.cli.findings.spots import Spot
from orchestrator.cli.findings.within_diff import within
from orchestrator.policy.lint.findings import RULES, Finding

CHANGED = {"p/a.yaml": [Hunk(10, 12), Hunk(40, 40)], "p/b.yaml": [Hunk(5, 5)]}


def shown(file, line, message="wrong", where=True, changed=CHANGED):
    given = Finding(RULES["NPC001"], "x", message, f"{file}:{line}" if where else "")
    ((found, spot),) = within([(given, Spot(file, line, 7))], changed)
    return spot.file, spot.line, found.message.removeprefix(message)


@pytest.mark.parametrize(
    ("file", "line", "message", "at"),
    [
        ("p/a.yaml", 11, "wrong", ("p/a.yaml", 11, "")),
        ("p/a.yaml", 7, "wrong", ("p/a.yaml", 7, "")),  # three lines above are shown, too
        ("p/a.yaml", 6, "wrong", ("p/a.yaml", 10, " (p/a.yaml:6)")),
        ("p/a.yaml", 30, "wrong", ("p/a.yaml", 40, " (p/a.yaml:30)")),
        ("q/c.yaml", 1, "by web ingress[0] (p/b.yaml:9)", ("p/b.yaml", 5, " (q/c.yaml:1)")),
        ("q/c.yaml", 1, "by sp/b.yaml:9", ("p/a.yaml", 10, " (q/c.yaml:1)")),
        ("q/c.yaml", 1, f"p/b.yaml:{'9' * 5000}", ("p/b.yaml", 5, " (q/c.yaml:1)")),
    ],
)
def test_a_finding_is_at_a_line_that_is_shown(file, line, message, at):
    assert shown(file, line, message) == at


def test_one_without_a_place_is_at_the_beginning_of_the_diff():
    assert shown("p/b.yaml", 1, where=False) == ("p/a.yaml", 10, "")


def test_where_nothing_is_known_of_the_diff_each_stays():
    assert shown("q/c.yaml", 1, changed={}) == ("q/c.yaml", 1, "")
