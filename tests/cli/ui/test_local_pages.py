"""The pages at an address of this machine: signed in as the caller, and for nobody else's browser."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from orchestrator.cli.ui.local_pages import LocalPages
from orchestrator.cli.ui.signed_in import SignedIn
from orchestrator.context import APPROVAL
from orchestrator.errors import BadInput, Refused, Unreachable

FORM = "application/x-www-form-urlencoded"
APPROVE = "/rollouts/shop-cccccccccc/approve"


@pytest.fixture
def browser(served, local):
    found = served()
    made = local(found.port)
    made.stage, made.tokens = found.stage, found.tokens
    return made


def test_the_address_with_its_key_leads_to_the_pages_of_whoever_called(browser):
    status, headers, text = browser.welcome().ask("GET", "/")
    assert status == 200 and "ann@example.com" in text and "shop-cccccccccc" in text
    assert "Set-Cookie" not in headers and "Strict-Transport-Security" not in headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert browser.ask("GET", "/static/style.css")[0] == 200
    assert browser.ask("GET", "/rollouts/none")[0] == 404


def test_nobody_else_gets_in(browser):
    for cookie, path in (
        ("", "/"),
        ("", "/?key=wrong"),
        (f"{browser.pages.cookie}=wrong", "/"),
        ("a=b", "/static/style.css"),
    ):
        browser.cookie = cookie
        status, headers, text = browser.ask("GET", path)
        assert status == 403 and "Set-Cookie" not in headers and "ann" not in text
    browser.welcome()
    assert browser.ask("GET", "/", Host="evil.example.com")[0] == 421
    path = browser.pages.new_url().removeprefix(browser.pages.origin)
    assert browser.ask("GET", path, Host=f"localhost:{browser.pages.server_address[1]}")[0] == 421


def test_an_address_opens_once_and_its_key_is_no_cookie(browser):
    path, other = (browser.pages.new_url().removeprefix(browser.pages.origin) for _ in range(2))
    key = path.partition("=")[2]
    assert browser.ask("HEAD", path)[0] == 403  # as programs ask that preview an address
    browser.cookie = f"{browser.pages.cookie}={key}"
    assert browser.ask("GET", "/")[0] == 403
    status, headers, _ = browser.ask("GET", path)
    assert status == 303 and key not in headers["Set-Cookie"]
    status, _, text = browser.ask("GET", path)
    assert status == 403 and "opens once" in text
    browser.cookie = headers["Set-Cookie"].partition(";")[0]
    assert browser.ask("GET", path)[0] == 200  # loaded anew where it was opened
    browser.cookie = ""
    assert browser.ask("GET", other)[0] == 303


def test_of_those_who_open_an_address_together_one_gets_in(browser):
    path = browser.pages.new_url().removeprefix(browser.pages.origin)
    with ThreadPoolExecutor(8) as pool:
        found = [status for status, _, _ in pool.map(lambda _: browser.ask("GET", path), range(8))]
    assert sorted(found) == [303] + [403] * 7


@pytest.mark.parametrize("other", ['g_state={"i_l":0}', "a=b c", "a[b]=1", "x", "", "é=ü"])
def test_cookies_of_other_servers_of_the_machine_change_nothing(browser, other):
    browser.welcome()
    ours = browser.cookie
    for given in (f"{other}; {ours}", f"{ours};{other}", f"{browser.pages.cookie}=old; {ours}"):
        browser.cookie = given
        assert browser.ask("GET", "/")[0] == 200
    browser.cookie = f"{other}; x{ours}"
    assert browser.ask("GET", "/")[0] == 403


def decision(browser):
    text = browser.ask("GET", APPROVE)[2]
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', text))
    return urlencode({**fields, "comment": "checked", "decision": "approve"})


def test_a_form_of_the_pages_is_sent_in_the_callers_name_and_one_of_another_site_is_not(browser):
    browser.welcome()
    body = decision(browser)
    evil = browser.ask("POST", APPROVE, body, Content_Type=FORM, Origin="https://evil.example.com")
    assert evil[0] == 403 and browser.stage.cluster.list(APPROVAL) == []
    status, headers, _ = browser.ask("POST", APPROVE, body, Content_Type=FORM, Origin=browser.pages.origin)
    assert status == 303 and headers["Location"].startswith("/")
    (approval,) = browser.stage.cluster.list(APPROVAL)
    assert approval["spec"]["user"] == "ann@example.com"


def test_a_session_that_ended_begins_anew_and_one_that_was_left_does_not(browser):
    browser.welcome()
    browser.pages.pages._cookies.clear()
    assert browser.ask("GET", "/")[0] == 200
    assert sent(browser, "/signout") == 303
    assert browser.ask("GET", "/")[0] == 303


def sent(browser, path, **fields):
    """A form of the sign-in page."""
    text = browser.ask("GET", "/signin")[2]
    csrf = re.search(rf'action="{path}">\s*<input type="hidden" name="csrf" value="([^"]+)"', text)[1]
    return browser.ask("POST", path, urlencode({"csrf": csrf, **fields}), Content_Type=FORM)[0]


def test_who_signs_out_and_pastes_a_token_stays_signed_in_as_that_person(browser):
    browser.welcome()
    assert sent(browser, "/signout") == 303
    assert sent(browser, "/signin/token", token="bobs-token") == 303
    for _ in range(2):
        assert "bob@example.com" in browser.ask("GET", "/")[2]
        browser.pages.pages._cookies.clear()  # the session ended


def test_who_pastes_a_token_without_signing_out_does_not_become_the_caller_again(browser):
    browser.welcome()
    assert sent(browser, "/signin/token", token="bobs-token") == 303
    browser.pages.pages._cookies.clear()
    assert "bob@example.com" in browser.ask("GET", "/")[2]


def test_a_pasted_token_that_ran_out_leads_to_the_sign_in_page_and_not_to_another_person(browser):
    browser.welcome()
    assert sent(browser, "/signin/token", token="bobs-token") == 303
    del browser.tokens["bobs-token"]
    browser.pages.pages._cookies.clear()
    for _ in range(2):
        status, headers, _ = browser.ask("GET", "/")
        assert status == 303 and headers["Location"].startswith("/signin")


def test_a_token_that_is_not_taken_changes_nothing(browser):
    browser.welcome()
    assert sent(browser, "/signin/token", token="wrong") == 401
    browser.pages.pages._cookies.clear()
    assert "ann@example.com" in browser.ask("GET", "/")[2]
    assert sent(browser, "/signout") == 303 and sent(browser, "/signin/token", token="wrong") == 401
    assert browser.ask("GET", "/")[0] == 303


def test_a_page_that_stands_open_outlasts_its_session(browser):
    browser.welcome()
    for asked in ({"HX_Request": "true"}, {"Accept": "text/event-stream"}):
        browser.pages.pages._cookies.clear()
        status, headers, _ = browser.ask("GET", "/", **asked)
        assert status == 200 and "HX-Redirect" not in headers


def test_without_a_token_an_open_page_leads_to_the_sign_in_page(served, local):
    status, headers, _ = local(served().port, "").welcome().ask("GET", "/", HX_Request="true")
    assert (status, headers["HX-Redirect"]) == (401, "/signin")


def test_a_late_answer_to_the_old_session_leaves_the_new_one_alone(browser):
    browser.welcome()
    pages = browser.pages.pages
    asked, late = pages._asked, []

    def ended(*more):
        answer = asked(*more)
        if not late:
            name = next(iter(pages._cookies))
            late.append(answer.msg.add_header("Set-Cookie", f"{name}=; Max-Age=0; Path=/"))
            assert pages.sign_in(pages._sessions)
        return answer

    pages._asked = ended
    assert [browser.ask("GET", "/")[0] for _ in range(2)] == [200, 200]
    assert late and pages._sessions == 2 and pages._cookies


@pytest.mark.parametrize("length", ["-1", "x", "99999999", "2000000"])
def test_a_request_that_is_too_large_is_refused(browser, length):
    browser.welcome()
    assert browser.ask("POST", APPROVE, None, Content_Length=length)[0] in (400, 413)


def test_a_token_that_the_pages_do_not_take_is_said_in_their_words(served, local):
    with pytest.raises(
        Refused, match="do not take the kubeconfig's token: The cluster does not accept this token"
    ):
        local(served().port, "swordfish")


def test_an_installation_without_tokens_says_so(served, local):
    with pytest.raises(Refused, match="lets nobody sign in with a token"):
        local(served(token=False, anonymous="read").port)


def test_without_a_token_the_sign_in_page_comes(served, local):
    browser = local(served().port, "").welcome()
    status, headers, _ = browser.ask("GET", "/")
    assert status == 303 and headers["Location"].startswith("/signin")
    assert "Sign in" in browser.ask("GET", "/signin")[2]


def test_pages_that_are_silent_have_a_deadline(local):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        pages = SignedIn(lambda: socket.create_connection(("127.0.0.1", port)), lambda: "t", 0.2)
        with pytest.raises(Unreachable, match=r"no answer within 0\.2 s"):
            pages.sign_in()


def test_pages_that_are_gone_are_said_in_the_browser(browser):
    browser.welcome()

    def gone():
        raise Unreachable("no connection to the pod a/b")

    browser.pages.pages.open = gone
    status, _, text = browser.ask("GET", "/")
    assert status == 502 and text == "netpol-canary ui: no connection to the pod a/b\n"


def test_a_port_that_is_taken_is_one_line(served):
    with pytest.raises(BadInput, match="--port: cannot listen on"):
        LocalPages(None, served().port)


def test_those_who_meet_the_end_of_one_session_begin_one_together(browser):
    browser.welcome()
    pages = browser.pages.pages
    pages._cookies.clear()
    posts, once = [], pages._once

    def counted(method, path, *more):
        posts.append(method) if method == "POST" else None
        return once(method, path, *more)

    pages._once = counted
    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _, _ in pool.map(lambda _: browser.ask("GET", "/"), range(8))} == {200}
    assert posts == ["POST"]
