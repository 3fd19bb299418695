"""A form counts where it comes from a page of ours, in the session that the page was made for."""

import pytest
from door import HTML, URL, Door

APPROVE = "/rollouts/shop-1/approve"
OURS = {"origin": URL, "sec-fetch-site": "same-origin"}


def test_a_form_of_ours_arrives_whole(signed_in):
    answer = signed_in.post(APPROVE, data={"csrf": signed_in.csrf(), "comment": "looks fine"}, headers=OURS)
    assert answer.json()["comment"] == "looks fine" and answer.json()["raw"] > 50


def test_htmx_sends_the_token_in_a_header(signed_in):
    answer = signed_in.post(APPROVE, headers={**OURS, "x-csrf-token": signed_in.csrf()})
    assert answer.status_code == 200


def test_a_form_with_files_carries_the_token_too(signed_in):
    boundary = "b0undary"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{signed_in.csrf()}\r\n--{boundary}--\r\n'
    headers = {**OURS, "content-type": f"multipart/form-data; boundary={boundary}"}
    assert signed_in.post(APPROVE, content=part, headers=headers).status_code == 200


@pytest.mark.parametrize("token", [None, "", "wrong", "ü"])
def test_without_the_sessions_token_it_does_not_count(signed_in, token):
    data = {"comment": "x"} if token is None else {"csrf": token}
    answer = signed_in.post(APPROVE, data=data, headers=OURS)
    assert answer.status_code == 403 and "not of this session" in answer.text


def test_the_token_of_another_session_does_not_count(door, signed_in):
    other = door.browser()
    other.sign_in("bobs-token")
    assert signed_in.post(APPROVE, data={"csrf": other.csrf()}, headers=OURS).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_every_method_that_changes_something_is_checked(signed_in, method):
    assert signed_in.request(method, APPROVE, headers=OURS).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"origin": "http://rollouts.example.com"},
        {"origin": "https://rollouts.example.com:8443"},
        {"origin": "https://rollouts.example.com.evil.example.com"},
        {"origin": "https://[", "sec-fetch-site": "same-origin"},
        {"origin": URL, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_not_count_even_with_the_token(signed_in, headers):
    answer = signed_in.post(APPROVE, data={"csrf": signed_in.csrf()}, headers=headers)
    assert answer.status_code == 403 and "another page" in answer.text


def test_where_the_address_is_not_set_the_host_that_was_asked_is_ours():
    browser = Door(external_url="").browser()
    browser.sign_in()
    token = {"csrf": browser.csrf()}
    assert browser.post(APPROVE, data=token, headers={"origin": URL}).status_code == 200
    sent = browser.post(APPROVE, data=token, headers={"origin": "https://evil.example.com"}).status_code
    assert sent == 403


def test_nobody_is_signed_in_by_a_form_of_another_page(browser):
    browser.form()
    assert browser.post("/signin/token", data={"token": "anns-token"}, headers=OURS).status_code == 403
    data = {"token": "anns-token", "csrf": browser.form()}
    assert (
        browser.post("/signin/token", data=data, headers={"origin": "https://evil.example.com"}).status_code
        == 403
    )
    assert browser.held() == {}


def test_a_form_is_bounded(signed_in):
    token = signed_in.csrf()
    large = signed_in.post(APPROVE, data={"csrf": token, "comment": "x" * 70_000}, headers=OURS)
    assert large.status_code == 413

    parts = (b"x" * 8192 for _ in range(20))  # without a length
    chunked = signed_in.post(APPROVE, content=parts, headers={**OURS, "x-csrf-token": token})
    assert chunked.status_code == 413


def test_a_form_of_very_many_fields_is_no_form(signed_in):
    data = {f"f{n}": "x" for n in range(60)} | {"csrf": signed_in.csrf()}
    assert signed_in.post(APPROVE, data=data, headers=OURS).status_code == 400


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example.com/",
        "//evil.example.com",
        "/\\evil.example.com",
        "\\\\evil.example.com",
        "/\t/evil.example.com",
        "/\n/evil.example.com",
        "javascript:alert(1)",
        "/signout",
        "/signin",
        "/x y",
        "rollouts",
        "",
        "/" + "x" * 2000,
        "/ü",
    ],
)
def test_after_signing_in_one_stays_here(browser, next):
    assert browser.sign_in(next=next).headers["location"] == "/"


def test_what_a_page_shows_of_the_address_is_escaped(browser):
    page = browser.get("/signin", params={"next": '/"><script>alert(1)</script>'}, headers=HTML)
    assert "<script>" not in page.text
