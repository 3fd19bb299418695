"""The documentation builds as a site with every link checked, and the generated pages are what is generated."""

import re
from pathlib import Path

import pytest
import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config

from orchestrator.cli.reference import pages
from orchestrator.engine.guard_instruments import GuardInstruments
from orchestrator.engine.instruments import Instruments
from orchestrator.rollout.crd import NAMES
from orchestrator.rollout.resource import MODELS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_what_is_generated(name):
    assert (DOCS / "reference" / name).read_text() == pages()[name], "run `make reference`"


def test_every_command_and_every_flag_has_its_place():
    import typer

    from orchestrator.cli.main import app, load

    load()
    text, left = (DOCS / "reference/cli.md").read_text(), [("netpol-canary", typer.main.get_command(app))]
    seen = 0
    while left:
        name, command = left.pop()
        subs = getattr(command, "commands", {})
        left += [(f"{name} {sub}", found) for sub, found in subs.items()]
        if subs:
            continue
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        assert all(
            f"`{flag}`" in section
            for p in command.params
            for flag in p.opts
            if flag.startswith("--") and flag != "--help"
        )
        seen += 1
    assert seen > 40


def test_every_field_of_every_kind_has_its_place():
    text = (DOCS / "reference/resources.md").read_text()
    for kind, models in MODELS.items():
        assert f"## {kind}\n" in text and NAMES[kind].plural in text
        for title, model in zip(("spec", "status"), models, strict=True):
            section = text.partition(f"### {kind}.{title}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
            assert all(
                f"| `{field.alias or name}` |" in section for name, field in model.model_fields.items()
            ), kind


def test_every_metric_has_its_place():
    text = (DOCS / "reference/metrics.md").read_text()
    for registry in (Instruments().registry, GuardInstruments().registry):
        assert all(f"`{family.name}" in text for family in registry.collect())


def test_every_page_is_in_the_navigation():
    listed = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    assert sorted(listed) == sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))


def test_the_site_builds_with_strict_links_and_asks_nobody(tmp_path):
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
    build(config)
    index = (tmp_path / "site" / "index.html").read_text()
    assert "fonts.googleapis" not in index and not re.findall(r'<script[^>]+src="https?://', index)
    assert (tmp_path / "site" / "reference" / "cli.html").exists()


def test_the_tutorial_s_files_are_what_it_says():
    text = (DOCS / "tutorial.md").read_text()
    for name in re.findall(r"docs/(tutorial/[\w./-]+)", text):
        assert (DOCS / name).exists(), name
    good, bad = ((DOCS / "tutorial" / n / "all.yaml").read_text() for n in ("policies", "broken"))
    assert yaml.safe_load(good) != yaml.safe_load(bad) and bad.replace("wbe", "web") == good
