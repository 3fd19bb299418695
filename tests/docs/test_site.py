"""The site is built with every page, every link leads somewhere, and nothing is fetched from elsewhere."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from reference import cells

from orchestrator.cli.findings.sarif import help_uri
from orchestrator.cli.policies.check_problems import CHECKED
from orchestrator.policy.lint.findings import RULES

pytestmark = pytest.mark.exhaustive

ROOT = Path(__file__).parents[2]
PAGES = sorted(str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md"))
SECONDS = 600


def build(root, to):
    """mkdocs, as `make docs` runs it."""
    command = [sys.executable, "-m", "mkdocs", "build", "-f", str(root / "mkdocs.yml"), "-d", str(to)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=root)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole site."""
    to = tmp_path_factory.mktemp("site")
    done = build(ROOT, to)
    assert done.returncode == 0, done.stderr
    return to


@pytest.fixture
def copy(tmp_path):
    """The documentation, to be broken."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "tests/reference", tmp_path / "tests/reference")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    return tmp_path


def in_nav(part):
    """The pages below a part of the nav."""
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part
    return [page for item in inner for page in in_nav(item)]


def test_every_page_is_in_the_nav_once():
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    assert sorted(in_nav(nav)) == PAGES


def test_every_page_is_built(site):
    assert all((site / page).with_suffix(".html").is_file() for page in PAGES)


def test_the_schemas_for_editors_are_part_of_it(site):
    schemas = sorted((ROOT / "config/schemas").iterdir())
    assert schemas and all((site / "schemas" / p.name).read_text() == p.read_text() for p in schemas)


def test_nothing_is_fetched_from_elsewhere(site):
    for path in site.rglob("*.html"):
        text = path.read_text()
        fetched = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"([^\"]+)\"", text)
        fetched += re.findall(r"<link(?! rel=\"canonical)[^>]*\shref=\"([^\"]+)\"", text)
        assert fetched
        assert not [url for url in fetched if re.match(r"(https?:)?//", url)], path.name
    for path in (ROOT / "docs").rglob("*.css"):
        assert "url(" not in path.read_text() and "@import" not in path.read_text()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[gone](gone.md)", "gone.md"),
        ("[gone](policies.md#no-such-heading)", "no-such-heading"),
        ("[outside](../README.md)", "README.md"),
    ],
)
def test_a_link_that_leads_nowhere_breaks_the_build(copy, line, complaint):
    page = copy / "docs/index.md"
    page.write_text(f"{page.read_text()}\n{line}\n")
    done = build(copy, copy / "site")
    assert done.returncode != 0 and complaint in done.stderr


def test_a_page_outside_the_nav_breaks_the_build(copy):
    (copy / "docs/lost.md").write_text("# Lost\n")
    done = build(copy, copy / "site")
    assert done.returncode != 0 and "lost.md" in done.stderr


def test_the_name_of_a_page_becomes_a_link_in_prose_and_stays_as_it_is_in_code(copy):
    text = "# A\n\nSee `docs/drift.md` (docs/flux.md).\n\n`cat docs/drift.md`\n\n    cat docs/flux.md\n"
    (copy / "docs/reference/metrics.md").write_text(text)
    done = build(copy, copy / "site")
    assert done.returncode == 0, done.stderr
    html = (copy / "site/reference/metrics.html").read_text()
    said = '<a href="../drift.html">Objects that others manage, and drift</a> (<a href="../flux.html">'
    assert said in html
    assert "<code>cat docs/drift.md</code>" in html and "cat docs/flux.md" in html


def test_a_cell_knows_the_name_of_its_column():
    table = "<table><thead><tr><th>a <b>b</b></th><th></th></tr></thead><tr><td>1</td><td>2</td></tr></table>"
    made = cells.on_page_content(table, None, None, None)
    assert '<tr><td data-label="a b">1</td><td data-label="">2</td></tr>' in made


def test_only_tables_without_a_class_are_touched():
    code = '<table class="highlighttable"><tr><td>1</td></tr></table>'
    assert cells.on_page_content(code, None, None, None) == code


def test_every_rule_s_help_leads_to_a_heading_of_the_site(site):
    base = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["site_url"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Documentation"] == base
    assert {help_uri(r) for r in RULES.values()} <= {help_uri(r) for r in CHECKED.values()}
    assert len({help_uri(r) for r in RULES.values()}) == len(RULES)
    for rule in CHECKED.values():
        page, _, anchor = help_uri(rule).removeprefix(base).partition("#")
        assert f'id="{anchor}"' in (site / page).read_text(), rule.id
