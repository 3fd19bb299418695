"""`lint --base` shows what a branch brings, and nothing that stood there, wherever its object moved to."""

import json

from shop_manifests import POLICIES
from written import policy

LATENT = POLICIES.replace(
    "{podSelector: {matchLabels: {app: web}}}", "{podSelector: {matchLabels: {app: wep}}}"
)
FRESH = policy("shop/idle", "{podSelector: {matchLabels: {app: nobody}}, ingress: []}")


def test_only_new_findings_are_shown_and_counted(repo):
    repo.change(LATENT)
    repo.commit()
    assert "NPC002" in repo.run("lint", repo.path).out
    repo.change("# moved down\n" * 3 + LATENT + FRESH)
    args = ("lint", repo.path, "--base", "main", "--fail-on", "warning")
    done = repo.run(*args)
    assert done.code == 1 and "NPC001 NetworkPolicy shop/idle" in done.out and "NPC002" not in done.out
    assert {f["id"] for f in json.loads(repo.run(*args, "-o", "json").out)["findings"]} == {"NPC001"}
    repo.change("# moved down\n" + LATENT)
    done = repo.run(*args)
    assert done.code == 0 and done.out == "0 findings\n"


def test_what_main_got_since_is_nothing_of_the_branch(repo):
    repo.change(POLICIES + FRESH)
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.git("checkout", "-q", "main")
    repo.change(POLICIES)
    repo.commit()
    repo.git("checkout", "-q", "topic")
    assert repo.run("lint", repo.path, "--base", "main").out == "0 findings\n"


def test_a_finding_that_is_ignored_no_more_is_new(repo):
    note = 'name: idle, annotations: {netpol-canary.dev/lint-ignore: "NPC001: soon"},'
    repo.change(POLICIES + FRESH.replace("name: idle,", note))
    repo.commit()
    assert "NPC001" not in repo.run("lint", repo.path).out
    repo.change(POLICIES + FRESH)
    assert "NPC001 NetworkPolicy shop/idle" in repo.run("lint", repo.path, "--base", "main").out


def test_a_base_that_is_not_there_is_bad_input(repo):
    done = repo.run("lint", repo.path, "--base", "nowhere")
    assert done.code == 2 and "revision nowhere is not in" in done.err
