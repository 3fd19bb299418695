"""Every rule of lint has a section in the docs, whose example it finds, and finds no more once it is mended."""

import re
from pathlib import Path

import pytest

from orchestrator.adapters.kube.schemas import findings
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import RULES, lint
from orchestrator.policy.workloads.fleet import fleet

PAGE = (Path(__file__).parents[2] / "docs" / "lint.md").read_text()
SECTIONS = re.findall(r"^## (NPC\d+): (.*?)$(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
YAML = re.compile(r"```yaml\n(.*?)```", re.S)
MISTAKE = re.compile(r"^( *)\S[^\n]*# right: ([^\n]*)\n", re.M)
WORKLOADS = YAML.search(PAGE[: PAGE.index("## ")])[1]


def found(text):
    """The ids of what lint finds in manifests beside the page's workloads."""
    documents = parse(f"{WORKLOADS}---\n{text}".encode(), "all.yaml")
    return {f.rule.id for f in lint(fleet(documents, keep_invalid=True), None, findings(documents))}


def test_the_page_has_every_rule_in_order_by_its_title():
    sections = {name: title for name, title, _ in SECTIONS}
    missing = [f"## {r.id}: {r.title}" for r in RULES.values() if sections.get(r.id) != r.title]
    assert not missing, f"give docs/lint.md {missing}"
    assert list(sections) == list(RULES), "docs/lint.md has them in another order, or some that are no rules"


@pytest.mark.parametrize(("rule", "section"), [pytest.param(s[0], s[2], id=s[0]) for s in SECTIONS])
def test_an_example_is_found_and_its_right_form_is_not(rule, section):
    examples = YAML.findall(section)
    assert examples
    for example in examples:
        right, mended = MISTAKE.subn(r"\1\2\n", example)
        assert mended, "no line of the example ends in `# right: …`"
        assert rule in found(example), f"no check finds {rule} there: is it in CHECKS of lint/linter.py?"
        assert rule not in found(right), right
