"""An emergency is declared on a page by who has the right to it, with a reason, and everybody who looks is told in red."""

import re

import pytest

from orchestrator.context import APPROVAL
from orchestrator.rollout.resources import model as m

PAGE, ROLLOUT = "/rollouts/NAME/emergency", "/rollouts/NAME"
CLOSED = m.Window(schedule="0 0 29 2 *", duration_seconds=60)
OFFER, WHY = "Declare an emergency…", "INC-42: <b>checkout</b> is down"


@pytest.fixture
def shut(begun):
    """A function that begins a rollout whose window is closed; ben has the right to an emergency, ann has not."""

    def begin(groups=(), **strategy):
        hurry = m.Emergency(skip=["windows", "waves"], groups=list(groups))
        given = {"emergency": hurry, "windows": [CLOSED], "steps": [m.WaveStep(count=1)], **strategy}
        site = begun(**given)
        site.stage.cluster.breakers |= {"ben"}
        return site

    return begin


def sent(site, user="ben", why=WHY, **more):
    plan = re.search(r'name="plan" value="([^"]*)"', site.get(PAGE).text)
    return site.post(PAGE, user, why=why, **({"plan": plan[1] if plan else ""} | more))


def recorded(site):
    return [o["spec"] for o in site.stage.cluster.list(APPROVAL)]


def test_it_says_what_is_skipped_and_what_is_not(shut):
    site = shut()
    text = " ".join(site.get(PAGE).text.split())
    assert "windows of this source, now: outside the window" in text
    assert "waves 1 and 2, which open at once (2 namespaces)" in text and "for 4 h" in text
    assert "The canary, the analysis, gates, the guard and the rollback stay as they are" in text
    assert 'name="why"' in text and "required" in text


def test_it_is_declared_in_the_name_of_who_looks_said_loudly_and_carried_out(shut):
    site = shut()
    assert OFFER in site.get(ROLLOUT).text
    answer = sent(site)
    assert answer.status_code == 303
    [spec] = recorded(site)
    assert (spec["user"], spec["decision"], spec["comment"]) == ("ben", "emergency", WHY)
    after = site.get(answer.headers["location"]).text
    assert '<p class="callout s-bad" role="status">EMERGENCY declared in your name' in after
    for user in ("ann", "carol"):
        seen = site.get(ROLLOUT, user).text
        assert (
            "<strong>Emergency</strong> asked for by ben: INC-42: &lt;b&gt;checkout" in seen
            and OFFER not in seen
        )
    assert "asked for by ben" in site.get(PAGE).text and "<textarea" not in site.get(PAGE).text
    assert site.work().rollout.status.phase == "Succeeded"
    assert (
        "<strong>Emergency</strong> declared by ben, skips windows, waves" in site.get(ROLLOUT, "carol").text
    )


def test_it_stands_beside_an_approval(shut):
    site = shut(windows=[], gates=[m.Gate(wave=1, groups=["engineers"])])
    assert OFFER in site.get("/rollouts/NAME/approve").text
    assert sent(site).status_code == 303 and OFFER not in site.get("/rollouts/NAME/approve").text


@pytest.mark.parametrize("user", ["ann", "carol"])
def test_who_has_no_right_is_offered_nothing_and_refused(shut, user):
    site = shut(gates=[m.Gate(wave=1)])
    for path in (ROLLOUT, "/rollouts/NAME/approve"):
        assert OFFER not in site.get(path, user).text
    text = site.get(PAGE, user).text
    assert (
        f"{user} has no right to the verb emergency on rolloutapprovals" in text and "<textarea" not in text
    )
    assert sent(site, user).status_code == 403 and recorded(site) == []


@pytest.mark.parametrize("why", ["", "  \n", "x" * 1001])
def test_it_takes_a_reason_that_fits(shut, why):
    site = shut()
    answer = sent(site, why=why)
    assert answer.status_code == 400 and recorded(site) == [] and "-m" not in answer.text.split("<main")[1]


@pytest.mark.parametrize("csrf", ["", "another-token", "ü"])
def test_a_form_of_another_session_does_nothing(shut, csrf):
    site = shut()
    assert sent(site, csrf=csrf).status_code in (400, 403) and recorded(site) == []


def test_a_form_that_was_made_for_another_plan_does_nothing(shut):
    site = shut()
    answer = sent(site, plan="sha256:other")
    assert answer.status_code == 409 and "read it again" in answer.text and recorded(site) == []


def test_who_is_not_in_the_source_s_groups_is_told_so(shut):
    site = shut(groups=["hotfixers"])
    text = site.get(PAGE).text
    assert "you are not in hotfixers" in text and "<textarea" not in text
    answer = site.post(PAGE, why=WHY, plan=site.work().rollout.spec.plan_digest)
    assert answer.status_code == 409 and recorded(site) == []


def test_where_nothing_may_be_skipped_nothing_is_offered(shut):
    for site in (shut(emergency=m.Emergency()), shut(windows=[])):  # the second one ended
        assert OFFER not in site.get(ROLLOUT).text
        text = site.get(PAGE).text
        assert (
            "allows nothing" in text or "there is nothing to hurry" in text
        ) and "<form" not in text.split("<main")[1]
        assert (
            sent(site, plan=site.work().rollout.spec.plan_digest).status_code == 409 and recorded(site) == []
        )


def test_one_that_stands_is_not_declared_again(shut):
    site = shut(gates=[m.Gate(wave=2)])
    plan = re.search(r'name="plan" value="([^"]*)"', site.get(PAGE).text)[1]
    assert sent(site).status_code == 303
    assert site.work().rollout.status.emergency.user == "ben" and OFFER not in site.get(ROLLOUT).text
    again = site.post(PAGE, why=WHY, plan=plan)
    assert again.status_code == 303 and "done" not in again.headers["location"] and len(recorded(site)) == 1
