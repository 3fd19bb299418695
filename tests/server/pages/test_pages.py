"""What the pages say, to whom, and what becomes of their forms."""

import re

import pytest
from stage import OWN
from written import plain

from orchestrator.context import APPROVAL, ROLLOUT, SOURCE
from orchestrator.errors import Forbidden, Unreachable

PATHS = (
    "/",
    "/sources",
    "/history",
    "/rollouts/NAME",
    "/rollouts/NAME/approve",
    "/rollouts/NAME/emergency",
    "/rollouts/NAME/why",
    "/events",
)


def approvals(site):
    return [o["spec"] for o in site.stage.cluster.list(APPROVAL, OWN)]


def fields(site):
    found = re.findall(r'name="(wave|plan)" value="([^"]*)"', site.get("/rollouts/NAME/approve").text)
    return dict(found)


@pytest.mark.parametrize("path", PATHS)
def test_without_a_viewer_nothing_is_shown(waiting, path):
    answer = waiting.get(path, user="nobody")
    assert answer.status_code == 401 and waiting.name not in answer.text


def test_now_says_what_waits_and_for_whom(waiting):
    text = waiting.get("/").text
    assert "One rollout waits for somebody" in text
    assert "0 of 2" in text and "from engineers" in text and f"/rollouts/{waiting.name}/approve" in text


def test_now_shows_freezes_that_hold(waiting):
    spec = {"sources": ["shop"], "reason": "the sale", "user": "carol", "until": "2030-01-01T00:00:00Z"}
    old = {"reason": "long ago", "until": "2020-01-01T00:00:00Z"}
    for name, given in (("sale", spec), ("old", old)):
        waiting.stage.cluster.create(plain("RolloutFreeze", f"{OWN}/{name}", given))
    text = waiting.get("/").text
    assert "the sale" in text and "long ago" not in text


def test_a_source_that_cannot_be_read_is_named_and_hides_no_other(waiting):
    there = waiting.stage.cluster.list(SOURCE, OWN)[0]
    windows = [{"schedule": "0 9 * * *", "durationSeconds": 3600, "timeZone": "Europe/Berln"}]
    spec = {**there["spec"], "strategy": {**there["spec"].get("strategy", {}), "windows": windows}}
    meta = {"name": "misspelt", "namespace": OWN}
    waiting.stage.cluster.create({**there, "metadata": meta, "spec": spec})
    text = waiting.get("/").text
    assert "misspelt" in text and "Europe/Berln" in text and "One rollout waits for somebody" in text


def test_a_rollout_shows_waves_plan_probes_and_record(waiting):
    text = waiting.get("/rollouts/NAME").text
    for wanted in ("cart", "pay", "NetworkPolicy/deny", "web/a", "Promoted", 'class="add"', "commit"):
        assert wanted in text, wanted


def test_what_may_not_be_asked_is_not_offered(waiting):
    assert "Roll everything back" in waiting.get("/rollouts/NAME").text
    reader = waiting.get("/rollouts/NAME", user="carol").text
    assert "<form" not in reader.split("<main")[1]
    assert "You may read this, and you may not approve" in waiting.get("/rollouts/NAME/approve", "carol").text


def test_an_approval_is_recorded_in_the_name_of_who_looks(waiting):
    sent = waiting.post("/rollouts/NAME/approve", decision="approve", comment=" seen ", **fields(waiting))
    assert sent.status_code == 303 and sent.headers["location"].endswith("?done=approve")
    [spec] = approvals(waiting)
    assert (spec["user"], spec["comment"], spec["decision"]) == ("ben", "seen", "approve")
    assert "You have approved already" in waiting.get("/rollouts/NAME/approve").text
    waiting.post("/rollouts/NAME/approve", "ann", decision="approve", **fields(waiting))
    assert waiting.work().rollout.status.phase == "Succeeded"


def test_a_rejection_puts_everything_back(waiting):
    given = {**fields(waiting), "comment": "not today", "confirm": "reject"}
    waiting.post("/rollouts/NAME/approve", decision="reject", **given)
    assert waiting.work().rollout.status.phase == "RolledBack"
    assert "not today" in waiting.get("/rollouts/NAME/why").text


def test_a_decision_on_a_plan_that_has_moved_on_is_refused(waiting):
    given = {**fields(waiting), "plan": "sha256:other"}
    sent = waiting.post("/rollouts/NAME/approve", decision="approve", **given)
    assert sent.status_code == 409
    assert "has moved on since you read it" in sent.text and not approvals(waiting)


@pytest.mark.parametrize("csrf", ["", "another-token", "ü"])
def test_a_form_of_another_session_does_nothing(waiting, csrf):
    for path, form in (
        ("/rollouts/NAME/approve", {"decision": "reject", **fields(waiting)}),
        ("/rollouts/NAME/ask", {"verb": "abort"}),
        ("/rollouts/NAME/release", {}),
    ):
        assert waiting.post(path, csrf=csrf, **form).status_code in (400, 403)
    meta = waiting.stage.cluster.get(ROLLOUT, waiting.name, OWN)["metadata"]
    assert not approvals(waiting) and not meta.get("annotations")


def test_who_has_no_right_gets_a_page_that_says_so(waiting):
    sent = waiting.post("/rollouts/NAME/ask", "carol", verb="abort")
    assert sent.status_code == 403 and "You may not see or do this" in sent.text


def test_an_abort_puts_everything_back(waiting):
    assert waiting.post("/rollouts/NAME/ask", verb="abort").status_code == 303
    assert waiting.work().rollout.status.phase == "RolledBack"
    sent = waiting.post("/rollouts/NAME/ask", verb="abort")
    assert sent.status_code == 409 and "there is nothing to abort" in sent.text


def test_unknown_names_and_fields_get_a_page(waiting):
    assert waiting.get("/rollouts/nothing").status_code == 404
    assert waiting.post("/rollouts/NAME/ask", verb="explode").status_code == 400
    assert waiting.get("/history?outcome=nonsense").status_code == 400
    assert waiting.get("/history?days=x").status_code == 400
    assert "<script>" not in waiting.get("/rollouts/<script>alert(1)<").text.split("<main")[1]


def test_an_address_that_is_none_gets_a_page_where_a_person_asks(waiting):
    as_person = {"X-User": "ben", "Accept": "text/html"}
    found = waiting.http.get("/rollout/nothing", headers=as_person)
    assert found.status_code == 404 and "There is no such page" in found.text and "<main" in found.text
    assert waiting.get("/rollout/nothing").json() == {"detail": "Not Found"}
    assert "<main" not in waiting.http.get("/nothing", headers={"Accept": "text/html"}).text


def test_a_cluster_that_does_not_answer_is_said_without_its_secrets(waiting, monkeypatch):
    def gone(*args):
        raise Unreachable("https://10.0.0.1:6443 refused")

    monkeypatch.setattr(type(waiting.stage.cluster), "list", gone)
    answer = waiting.get("/")
    assert answer.status_code == 503 and "does not answer" in answer.text and "10.0.0.1" not in answer.text


def test_a_token_that_is_no_longer_accepted_is_left_to_the_sign_in(waiting, monkeypatch):
    def ended(*args):
        raise Forbidden("Unauthorized", 401)

    monkeypatch.setattr(type(waiting.stage.cluster), "list", ended)
    with pytest.raises(Forbidden):
        waiting.get("/")


def test_a_rollback_says_what_broke_and_what_next(undone):
    text = undone.get("/rollouts/NAME/why").text
    for wanted in (
        "Everything was restored in",
        "What broke",
        "web-pay",
        "ann@example.com",
        "This revision is blocked",
    ):
        assert wanted in text, wanted
    assert "Release the revision" in undone.get("/rollouts/NAME").text


def test_a_released_revision_is_no_longer_held(begun):
    site = begun(good=False)
    assert site.stage.shop().status.blocked_revision
    assert site.post("/rollouts/NAME/release").status_code == 303
    assert not site.stage.shop().status.blocked_revision


def test_what_an_older_rollback_left_releases_no_newer_revision(begun):
    site = begun(good=False)
    shop = site.stage.shop()
    status = shop.status.model_copy(update={"blocked_revision": "d" * 40})
    site.stage.cluster.replace_status(shop.with_status(status))
    assert "Release the revision" not in site.get("/rollouts/NAME").text
    assert "This revision is blocked" not in site.get("/rollouts/NAME/why").text
    sent = site.post("/rollouts/NAME/release")
    assert sent.status_code == 409 and "holds dddddddddd, not cccccccccc" in sent.text
    assert site.stage.shop().status.blocked_revision == "d" * 40


def test_only_the_latest_change_is_offered_to_be_taken_back(begun):
    site = begun()
    assert "Take this change back" in site.get("/rollouts/NAME").text
    shop = site.stage.shop()
    status = shop.status.model_copy(update={"current_revision_rollout": "shop-later"})
    site.stage.cluster.replace_status(shop.with_status(status))
    assert "Take this change back" not in site.get("/rollouts/NAME").text


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("", True),
        ("namespace=pa*", True),
        ("namespace=other", False),
        ("person=ANN", True),
        ("commit=ccc", True),
        ("outcome=rolledback", True),
        ("outcome=succeeded", False),
        ("days=1", True),
        ("source=elsewhere", False),
    ],
)
def test_history_is_searched(undone, query, there):
    text = undone.get(f"/history?{query}").text
    assert (f"/rollouts/{undone.name}" in text) is there


def test_what_people_wrote_is_escaped(waiting):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    waiting.post("/rollouts/NAME/approve", decision="approve", comment=evil, **fields(waiting))
    for path in PATHS[:-1]:
        text = waiting.get(path).text
        assert "<script>alert" not in text and "<img" not in text
    asked = waiting.get("/history", params={"person": evil})
    assert "<img" not in asked.text and "&lt;img" in asked.text


def test_pages_carry_nothing_that_the_content_policy_forbids(waiting):
    for path in PATHS[:-1]:
        text = waiting.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*src=)", text), path
        assert not re.search(r'(src|href)="(?!/|#)', text), path


def test_approvals_that_the_cluster_does_not_vouch_for_are_doubted_in_sight(waiting):
    waiting.stage.cluster.vouches = False
    for user in ("ann", "ben"):
        waiting.post("/rollouts/NAME/approve", user, decision="approve", **fields(waiting))
    assert waiting.work().rollout.status.phase == "Paused"
    for path in ("/", "/rollouts/NAME", "/rollouts/NAME/approve"):
        assert "approvals cannot be trusted" in waiting.get(path).text, path


def test_a_decision_sees_that_the_wave_before_is_still_watched(waiting):
    waiting.stage.clock.sleep(60)
    waiting.work()
    assert "since it was promoted" in waiting.get("/rollouts/NAME/approve").text
