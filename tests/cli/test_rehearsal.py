"""From an application without policies to pull requests on what `generate` made of it."""

import subprocess
from pathlib import Path

import pytest
from stage import Stage

APPS = Path(__file__).parents[1] / "apps"
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
    """`request_(change)`: the answer of `check` to a commit that `change` makes of the policies' folder."""
    netpol, folder = cli(Stage()), tmp_path / "policies"

    def git(*args):
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *args], check=True, capture_output=True)

    assert netpol("generate", str(APPS / "shop"), "--to", str(folder)).code == 0
    (folder / "tests.yaml").write_text(TESTS)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "Start from default-deny")

    def ask(change):
        git("checkout", "-q", "-B", "change", "main")
        change(folder)
        git("add", "-A")
        git("commit", "-q", "-m", "Change a policy")
        return netpol("check", str(folder), "--base", "main", "--workloads", str(APPS / "shop"))

    return ask


def edit(name, old, new):
    def change(folder):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def test_opening_the_database_to_every_namespace_is_blocked(request_):
    peer = "    - podSelector:\n        matchLabels:\n          app: payments\n"
    done = request_(edit("payments/db.yaml", peer, "    - namespaceSelector: {}\n"))
    assert done.code == 1 and "**only payments reads cards: " in done.out
    assert "payments/db on 5432/TCP is allowed" in done.out and "Ann: Change a policy)" in done.out


def test_forgetting_dns_is_blocked(request_):
    done = request_(lambda folder: (folder / "shop/allow-dns.yaml").unlink())
    assert done.code == 1 and "NPC005" in done.out and "**DNS lost**: `shop/cart[Deployment]`" in done.out
    assert "Risk: **high**" in done.out


def test_a_small_change_is_for_a_person_and_says_what_it_does(request_):
    both = [
        edit(f"shop/{n}.yaml", "port: 8000", "port: 8000\n    - protocol: TCP\n      port: 8001")
        for n in ("web", "cart")
    ]
    done = request_(lambda folder: [change(folder) for change in both])
    assert done.code == 3 and "👀 a person has to look" in done.out and "Intents: 2 of 2 hold." in done.out
    assert "| TCP 8000 | TCP 8000-8001 |" in done.out
