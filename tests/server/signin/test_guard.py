"""Nothing is served to somebody who has not signed in, whatever is asked and however."""

import pytest
from door import Door
from routes_of import routes_of
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

from orchestrator.server.signin.request_guard import public


def test_every_route_that_is_not_public_refuses_without_a_session(door, browser):
    found = [(path, method) for path, methods in routes_of(door.app.routes) for method in methods]
    assert {"/", "/docs", "/openapi.json", "/rollouts/{name}/approve", "/signout", "/healthz"} <= {
        p for p, _ in found
    }
    for path, method in found:
        if public(path) or path.startswith("/signin"):
            continue
        answer = browser.request(method, path.replace("{name}", "x"), headers={"accept": "*/*"})
        assert answer.status_code == 401, (path, method)
        assert browser.request(method, path, headers={"accept": "text/html"}).status_code == 303, (
            path,
            method,
        )


@pytest.mark.parametrize(
    "path",
    [
        "/healthz/x",
        "/signinx",
        "/staticx",
        "/webhooksx",
        "/metricsx",
        "//signin",
        "/HEALTHZ",
        "/.",
        "/%2e",
    ],
)
def test_a_path_that_only_looks_public_is_not(browser, path):
    assert browser.request("GET", path, headers={"accept": "*/*"}).status_code == 401


def test_what_is_public_is_served(browser):
    assert browser.get("/healthz").text == "ok"


def test_a_webhook_passes_whatever_its_size_and_origin_for_it_has_a_signature_of_its_own(browser):
    answer = browser.post(
        "/webhooks/github", content=b"x" * 200_000, headers={"origin": "https://github.com"}
    )
    assert answer.json() == {"size": 200_000, "viewer": None}


def test_a_person_is_sent_to_the_way_in_and_back_to_the_page_afterwards(browser):
    sent = browser.get("/rollouts/shop-1?wave=2&x=%2F")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        "/signin?next=%2Frollouts%2Fshop-1%3Fwave%3D2%26x%3D%252F",
    )
    browser.get(sent.headers["location"])
    assert browser.sign_in(next="/rollouts/shop-1?wave=2").headers["location"] == "/rollouts/shop-1?wave=2"


def test_htmx_is_told_where_to_go(browser):
    answer = browser.get("/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/signin")


def test_websockets_are_refused(browser):
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/"):
        pass


def test_every_answer_forbids_what_pages_do_not_need(browser):
    for path in ("/healthz", "/signin", "/", "/nothing", "/static/x"):
        found = browser.get(path).headers
        policy = found["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy, path
        assert found["x-content-type-options"] == "nosniff"
        assert found["strict-transport-security"].startswith("max-age=")


def test_pages_are_not_kept_but_static_files_may_be(signed_in):
    assert signed_in.get("/").headers["cache-control"] == "no-store"
    assert "cache-control" not in signed_in.get("/static/none.css").headers


def test_where_the_operator_says_so_everybody_reads_and_nobody_acts():
    browser = Door(anonymous="read").browser()
    shown = browser.get("/").json()
    assert (shown["user"], shown["csrf"]) == ("", "")
    assert browser.get("/may/list/policyrollouts").json() is True
    assert browser.get("/may/create/rolloutapprovals").json() is False
    assert browser.post("/rollouts/x/approve", headers={"x-csrf-token": ""}).status_code == 303
    assert browser.post("/signout", headers={"accept": "*/*"}).status_code == 401


def test_what_everybody_sees_holds_no_secrets():
    door = Door(anonymous="read")
    with pytest.raises(Exception, match="sign in first"):
        door.browser().get("/secret")


def test_a_token_that_is_no_longer_accepted_ends_the_session(door, signed_in):
    door.tokens.clear()
    fresh = Door(stage=door.stage, tokens={}).browser()  # another replica with the same keys
    fresh.cookies = signed_in.cookies
    answer = fresh.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=%2F")
    assert fresh.held() == {}


def test_routes_of_mounted_applications_are_guarded_too(door, browser, tmp_path):
    (tmp_path / "x.txt").write_text("secret")
    door.app.mount("/files", StaticFiles(directory=tmp_path))
    assert ("/files", {"GET"}) in list(routes_of([Mount("/files", StaticFiles(directory=tmp_path))]))
    assert not any(isinstance(route, WebSocketRoute) for route in door.app.routes)
    assert browser.get("/files/x.txt").status_code == 303
