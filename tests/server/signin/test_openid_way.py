"""Through a provider and back: only the browser that left comes in, as whom the cluster takes its token for."""

import openid_provider
import pytest
from door import HTML, Door
from stage import OWN, Stage

from orchestrator.adapters.kube.secrets import SECRET
from orchestrator.errors import Forbidden
from orchestrator.sandbox.people import People

CALLBACK = "/signin/oidc/callback"


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def theirs(stage):
    with openid_provider.serving(stage.clock.now) as found:
        yield found


class Trusting(People):
    """A cluster that accepts the provider's tokens."""

    def __init__(self, cluster, theirs):
        super().__init__(cluster)
        self._theirs = theirs

    def with_token(self, token):
        if token in self._theirs.tokens:
            self._tokens = {token: ("oidc:ann@example.com", ("release-engineers",))}
        return super().with_token(token)


def door(stage, theirs, callers=None, **oidc):
    given = {
        "issuer": theirs.issuer,
        "client_id": openid_provider.CLIENT,
        "client_secret": openid_provider.SECRET,
        **oidc,
    }
    return Door(stage=stage, callers=callers or Trusting(stage.cluster, theirs), oidc=given)


@pytest.fixture
def browser(stage, theirs):
    return door(stage, theirs).browser()


def leave(browser, next="/rollouts/shop-1"):
    """The address of the provider that the browser is sent to."""
    answer = browser.get("/signin/oidc", params={"next": next})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def travel(browser, theirs, **changed):
    query = theirs.consent(leave(browser))
    return browser.get(CALLBACK, params={**query, **changed})


def test_somebody_comes_back_as_whom_the_cluster_knows(browser, theirs):
    answer = travel(browser, theirs)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rollouts/shop-1")
    shown = browser.get("/").json()
    assert shown["user"] == "oidc:ann@example.com" and shown["asked"][0] == "oidc:ann@example.com"
    assert browser.held("journey") == {}, "a way in is used once"


def test_the_page_offers_it_by_a_link(stage, theirs):
    page = door(stage, theirs).browser().get("/signin?next=/history").text
    assert 'href="/signin/oidc?next=/history"' in page


def test_another_state_lets_nobody_in(browser, theirs):
    answer = travel(browser, theirs, state="another")
    assert answer.status_code == 400 and browser.held() == {}


def test_an_answer_in_another_browser_lets_nobody_in(stage, theirs):
    made = door(stage, theirs)
    query = theirs.consent(leave(made.browser()))
    assert made.browser().get(CALLBACK, params=query).status_code == 400


def test_the_same_answer_twice_lets_in_once(browser, theirs):
    query = theirs.consent(leave(browser))
    assert browser.get(CALLBACK, params=query).status_code == 303
    assert browser.get(CALLBACK, params=query).status_code == 400


def test_an_answer_that_took_too_long_lets_nobody_in(browser, stage, theirs):
    query = theirs.consent(leave(browser))
    stage.clock.sleep(601)
    assert browser.get(CALLBACK, params=query).status_code == 400


def test_an_answer_of_another_provider_lets_nobody_in(stage, theirs):
    assert travel(door(stage, theirs).browser(), theirs, iss="https://evil.example.com").status_code == 400


@pytest.mark.parametrize("claims", [{"nonce": "x"}, {"aud": "x"}, {"exp": 1}, {"iss": "x"}])
def test_a_token_that_does_not_hold_lets_nobody_in(stage, theirs, claims):
    theirs.claims, browser = claims, door(stage, theirs).browser()
    answer = travel(browser, theirs)
    assert answer.status_code == 403 and browser.held() == {}


def test_what_the_provider_refuses_is_said_without_its_markup(browser, theirs):
    query = theirs.consent(leave(browser))
    answer = browser.get(CALLBACK, params={"state": query["state"], "error": "access_denied<b>"})
    assert answer.status_code == 403 and "access_deniedb." in answer.text


def test_a_provider_that_is_down_is_said_so(stage, theirs):
    theirs.moods["/.well-known/openid-configuration"] = "failing"
    answer = door(stage, theirs).browser().get("/signin/oidc")
    assert answer.status_code == 502 and 'role="alert"' in answer.text


def test_a_session_lasts_no_longer_than_the_providers_token(browser, stage, theirs):
    travel(browser, theirs)
    stage.clock.sleep(601)
    assert browser.get("/").status_code == 303


def test_a_cluster_that_does_not_accept_the_token_lets_nobody_in(stage, theirs):
    browser = door(stage, theirs, callers=People(stage.cluster)).browser()
    answer = travel(browser, theirs)
    assert answer.status_code == 403 and "docs/sign-in.md" in answer.text and browser.held() == {}


def test_the_clients_secret_may_be_in_a_secret(stage, theirs):
    import base64

    data = {"clientSecret": base64.b64encode(openid_provider.SECRET.encode()).decode()}
    meta = {"name": "oidc", "namespace": OWN}
    stage.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
    made = door(stage, theirs, client_secret="", client_secret_ref="oidc")
    assert travel(made.browser(), theirs).status_code == 303
    secret = stage.cluster.get(SECRET, "oidc", OWN)
    stage.cluster.replace({**secret, "data": {}})
    assert travel(made.browser(), theirs).status_code == 502


class Impersonating(People):
    """Remembers in whose name it is called; RBAC lets it take on what it is told."""

    def __init__(self, cluster, refuses=False):
        super().__init__(cluster)
        self.names, self.refuses = [], refuses

    def with_token(self, token):
        raise AssertionError("the cluster does not accept such tokens")

    def impersonating(self, user, groups):
        self.names.append((user, groups))
        found = super().impersonating(user, groups)
        if self.refuses:
            found.user = lambda: (_ for _ in ()).throw(Forbidden("cannot impersonate", 403))
        return found


def impersonating(stage, theirs, **more):
    callers = Impersonating(stage.cluster, more.pop("refuses", False))
    given = {"impersonate": True, "impersonate_groups": ["release-engineers"], **more}
    return door(stage, theirs, callers=callers, **given), callers


def test_impersonation_takes_the_groups_that_are_listed_and_no_others(stage, theirs):
    made, callers = impersonating(stage, theirs)
    browser = made.browser()
    assert travel(browser, theirs).status_code == 303
    assert browser.get("/").json()["user"] == "oidc:ann@example.com"
    assert set(callers.names) == {("oidc:ann@example.com", ("release-engineers",))}


def test_the_session_of_somebody_impersonated_holds_no_token(stage, theirs):
    made, _ = impersonating(stage, theirs)
    browser = made.browser()
    travel(browser, theirs)
    assert sum(len(v) for v in browser.held().values()) < 1000


def test_a_group_that_is_listed_no_more_is_lost_at_once(stage, theirs):
    made, _ = impersonating(stage, theirs)
    browser = made.browser()
    travel(browser, theirs)
    other, callers = impersonating(stage, theirs, impersonate_groups=[])
    later = other.browser()
    later.cookies = browser.cookies
    assert later.get("/").status_code == 200 and callers.names[-1] == ("oidc:ann@example.com", ())


@pytest.mark.parametrize(
    "claims",
    [
        {"email": None},
        {"email": ["ann@example.com"]},
        {"email_verified": False},
        {"email_verified": None},
    ],
)
def test_a_name_that_the_provider_does_not_vouch_for_is_none(stage, theirs, claims):
    theirs.claims = claims
    made, callers = impersonating(stage, theirs)
    assert travel(made.browser(), theirs).status_code == 403 and callers.names == []


def test_an_operator_who_has_not_granted_it_is_told_where_to_read(stage, theirs):
    made, _ = impersonating(stage, theirs, refuses=True)
    answer = travel(made.browser(), theirs)
    assert answer.status_code == 403 and "docs/sign-in.md" in answer.text


def test_sessions_by_impersonation_end_where_it_is_switched_off(stage, theirs):
    made, _ = impersonating(stage, theirs)
    browser = made.browser()
    travel(browser, theirs)
    later = door(stage, theirs).browser()
    later.cookies = browser.cookies
    assert later.get("/", headers=HTML).status_code == 303
