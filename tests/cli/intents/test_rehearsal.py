"""From an application without policies to pull requests on what `generate` made of it."""

from pathlib import Path

import pytest
from git_folder import begun, commit
from markdown_it import MarkdownIt
from stage import Stage

APPS = Path(__file__).parents[2] / "apps"
TESTS = """apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: shop}
spec:
  intents:
  - name: web pays
    expect: reach
    from: {workload: shop/web}
    to: {workload: payments/payments}
    ports: [{port: 9443}]
    reason: checkout
  only:
  - {name: only payments reads cards, to: {workload: payments/db}, onlyFrom: [{workload: payments/payments}]}
"""


@pytest.fixture
def request_(cli, tmp_path):
    """`request_(change, *options)`: the answer of `check` to a commit that `change` makes of the policies' folder.

    `meanwhile` is what a commit makes of main after the branch began.
    """
    netpol, folder = cli(Stage()), tmp_path / "policies"
    assert netpol("generate", str(APPS / "shop"), "--to", str(folder)).code == 0
    (folder / "tests.yaml").write_text(TESTS)
    git = begun(tmp_path)
    commit(tmp_path, "Start from default-deny")

    def changed(branch, change):
        git("checkout", "-q", *branch)
        change(folder)
        commit(tmp_path, "Change a policy")

    def ask(change, *more, meanwhile=None):
        changed(("-B", "change", "main"), change)
        if meanwhile is not None:
            changed(("main",), meanwhile)
            git("checkout", "-q", "change")
        return netpol("check", str(folder), "--base", "main", "--workloads", str(APPS / "shop"), *more)

    return ask


def edit(name, old, new):
    def change(folder):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


PEER = "    - podSelector:\n        matchLabels:\n          app: payments\n"
WORLD = "    - ipBlock:\n        cidr: 0.0.0.0/0\n"


def test_the_repository_has_three_namespaces(request_, tmp_path):
    assert len([p for p in (tmp_path / "policies").iterdir() if p.is_dir()]) >= 3


def test_opening_the_database_to_the_internet_is_annotated_first_on_its_line(request_, tmp_path):
    done = request_(edit("payments/db.yaml", PEER, WORLD), "-o", "github")
    lines = (tmp_path / "policies/payments/db.yaml").read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "cidr: 0.0.0.0/0" in text)
    first = next(text for text in done.out.splitlines() if text.startswith("::"))
    assert done.code == 1
    assert first.startswith(f"::error file=policies/payments/db.yaml,line={line},col=15,title=internet::"), (
        first
    )


def test_a_comment_changes_no_connection_though_main_has_moved_on(request_):
    comment = edit("payments/db.yaml", "spec:\n", "# Who may read cards.\nspec:\n")
    done = request_(comment, meanwhile=edit("payments/db.yaml", PEER, WORLD))
    assert done.code == 0
    assert done.out.splitlines()[0] == "## Network policies against `main`: ✅ fine, no connection changes"
    assert "internet" not in done.out


def test_the_summary_is_a_table_and_reasons_that_open_as_a_git_host_draws_it(request_):
    html = MarkdownIt().enable("table").render(request_(edit("payments/db.yaml", PEER, WORLD)).out)
    assert html.startswith("<h2>Network policies against") and "❌ blocked" in html.splitlines()[0]
    table = html[html.index("<table>") : html.index("</table>")]
    assert "<td>internet</td>" in table and "payments/db" in table and "<th>from</th>" in table
    assert html.count("<details>") == html.count("</details>") > 0
    assert "**" not in html and "|---" not in html, "everything is markup"


def test_opening_the_database_to_every_namespace_is_blocked(request_):
    done = request_(edit("payments/db.yaml", PEER, "    - namespaceSelector: {}\n"))
    assert done.code == 1 and "**only payments reads cards: " in done.out
    assert "payments/db on 5432/TCP is allowed" in done.out and "Ann: Change a policy)" in done.out


def test_forgetting_dns_is_blocked(request_):
    done = request_(lambda folder: (folder / "shop/allow-dns.yaml").unlink())
    assert done.code == 1 and "NPC005" in done.out and "- **DNS is lost: shop/cart[Deployment]" in done.out
    assert "Risk: **high**" in done.out


def test_a_small_change_is_for_a_person_and_says_what_it_does(request_):
    both = [
        edit(f"shop/{n}.yaml", "port: 8000", "port: 8000\n    - protocol: TCP\n      port: 8001")
        for n in ("web", "cart")
    ]
    done = request_(lambda folder: [change(folder) for change in both])
    assert done.code == 3
    assert "👀 a person has to review it" in done.out and "Intents: 2 of 2 hold." in done.out
    assert "| TCP 8000 | TCP 8000-8001 |" in done.out
