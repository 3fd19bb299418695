"""Samples and examples are what the models know, every page is found from the readme, and no link leads nowhere."""

import re
from pathlib import Path

import pytest
import yaml

from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import MODELS, load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DEEPER = sorted((ROOT / "docs").glob("*/*.md"))


def shown():
    """The parts of PolicySources that pages show, each filled up to a whole spec."""
    for page in [*PAGES, *DEEPER]:
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S)):
            for block in yaml.safe_load_all(text):
                spec = part(block) if isinstance(block, dict) else None
                if spec is not None:
                    yield pytest.param(spec, id=f"{page.name}-{number}")


def part(block):
    """None where the block is of something else."""
    if "spec" in block:
        own = block.get("kind", "PolicySource") == "PolicySource" and block.get("apiVersion") in (
            None,
            m.API_VERSION,
        )
        known = {field.alias or name for name, field in m.PolicySourceSpec.model_fields.items()}
        spec = block["spec"] if own and set(block["spec"]) <= known else None
    else:
        strategy = block.get("strategy") or {k: block[k] for k in ("analysis",) if k in block}
        spec = {"strategy": strategy} if strategy else None
    return spec and {
        "namespaces": {},
        **spec,
        "git": {"url": "https://git.example.com/x", **spec.get("git", {})},
    }


@pytest.mark.parametrize("spec", list(shown()))
def test_a_source_that_a_page_shows_is_valid(spec):
    m.PolicySourceSpec.model_validate(spec)


@pytest.mark.parametrize("path", sorted((ROOT / "config/samples").glob("*.yaml")), ids=lambda p: p.name)
def test_a_sample_is_valid_and_applied_with_the_others(path):
    folder = yaml.safe_load((path.parent / "kustomization.yaml").read_text())
    if path.name != "kustomization.yaml":
        assert path.name in folder["resources"]
        assert load(yaml.safe_load(path.read_text())).manifest["kind"] in MODELS


def test_the_sample_shows_every_part_of_a_source():
    spec = yaml.safe_load((ROOT / "config/samples/policysource.yaml").read_text())["spec"]
    assert {
        "git",
        "namespaces",
        "strategy",
        "identities",
        "feedback",
        "notifications",
        "conflicts",
        "drift",
    } <= set(spec)


@pytest.mark.parametrize("page", [*PAGES, *DEEPER], ids=lambda p: p.name)
def test_no_link_leads_nowhere(page):
    text = page.read_text()
    linked = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    named = re.findall(r"(?<![\w/])docs/[\w-]+\.md", text)
    assert all((page.parent / link).exists() for link in linked), linked
    assert all((ROOT / name).exists() for name in named), named


def test_the_readme_leads_to_every_page():
    readme = (ROOT / "README.md").read_text()
    for page in PAGES[2:]:
        if page.name == "index.md":  # the site's own first page
            continue
        assert f"(docs/{page.name})" in readme, page.name
