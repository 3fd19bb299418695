"""With a token or by choosing, whoever comes in is who the API server says; a session is new, bounded and theirs."""

from datetime import timedelta

import pytest
from door import KEY, PEOPLE, URL, Door
from pydantic import ValidationError
from stage import OWN

from orchestrator.adapters.kube.secrets import SECRET
from orchestrator.errors import BadInput, Unreachable
from orchestrator.sandbox.people import People
from orchestrator.server.signin.signin_settings import Oidc, SignIn


def jwt(exp, size=0):
    """What looks like a JWT that ends then."""
    import base64
    import json

    text = json.dumps({"exp": exp, "groups": "g" * size}).encode()
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(text).decode().rstrip('=')}.sig"


def test_pages_call_the_cluster_as_the_person_whose_token_it_is(signed_in):
    shown = signed_in.get("/").json()
    assert shown["user"] == "ann@example.com" and shown["groups"] == ["release-engineers"]
    assert shown["asked"] == ["ann@example.com", ["release-engineers"]]


def test_what_somebody_may_do_is_what_the_api_server_says(door):
    answers = {}
    for token in door.tokens:
        browser = door.browser()
        browser.sign_in(token)
        answers[token] = [
            browser.get(f"/may/{path}").json()
            for path in ("list/policyrollouts", "create/rolloutapprovals", "update/policysources_status")
        ]
    assert answers == {"anns-token": [True, True, True], "bobs-token": [True, False, False]}


@pytest.mark.parametrize(
    "token", ["unknown", "", "two words", "x\r\nImpersonate-User: admin", "x" * 20_000, "ü"]
)
def test_a_token_that_the_cluster_does_not_know_lets_nobody_in(browser, token):
    answer = browser.sign_in(token)
    assert answer.status_code == 401 and 'role="alert"' in answer.text
    assert browser.held() == {} and browser.get("/").status_code == 303


def test_the_page_never_shows_the_token_again(browser):
    assert "a-mistyped-token" not in browser.sign_in("a-mistyped-token").text


def test_an_api_server_that_does_not_answer_is_said_so():
    class Away(People):
        def with_token(self, token):
            raise Unreachable("no route")

    class Later(People):
        def with_token(self, token):
            found = super().with_token(token)
            found.user = lambda: (_ for _ in ()).throw(Unreachable("no route"))
            return found

    door = Door()
    door = Door(stage=door.stage, callers=Later(door.stage.cluster, tokens=door.tokens))
    answer = door.browser().sign_in()
    assert answer.status_code == 502 and "gave no answer" in answer.text


def test_the_cookie_is_kept_from_scripts_from_others_and_from_http(browser):
    cookies = [c for c in browser.sign_in().headers.get_list("set-cookie") if "-session.0=" in c]
    (cookie,) = cookies
    assert cookie.startswith("__Host-netpol-canary-session.0=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=28800"} <= set(cookie.split("; "))
    assert "Domain" not in cookie and "anns-token" not in cookie


def test_only_an_operator_who_says_so_gets_cookies_without_secure():
    door = Door(insecure=True, external_url="http://localhost:8080")
    answer = door.browser().get("/signin")
    assert "Secure" not in answer.headers["set-cookie"] and "strict-transport-security" not in answer.headers
    assert "__Host-" not in answer.headers["set-cookie"]


def test_signing_in_makes_everything_new(browser):
    browser.sign_in()
    first, token = browser.held(), browser.csrf()
    browser.sign_in()
    assert browser.held() != first and browser.csrf() != token


def test_signing_out_takes_the_cookie_back(signed_in):
    answer = signed_in.post("/signout", data={"csrf": signed_in.csrf()}, headers={"origin": URL})
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin")
    assert signed_in.held() == {} and signed_in.get("/").status_code == 303


def test_a_session_ends_by_itself(door, signed_in):
    door.clock.sleep(8 * 3600 - 1)
    assert signed_in.get("/").status_code == 200
    door.clock.sleep(1)
    assert signed_in.get("/").status_code == 303


def test_a_session_ends_with_its_token(door, browser):
    token = jwt(int((door.clock.now() + timedelta(minutes=5)).timestamp()))
    door.tokens[token] = ("eve@example.com", ())
    browser.sign_in(token)
    door.clock.sleep(299)
    assert browser.get("/").status_code == 200
    door.clock.sleep(1)
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("exp", [1, -1, 0])
def test_a_token_that_has_ended_begins_no_session(door, browser, exp):
    door.tokens[jwt(exp)] = ("eve@example.com", ())
    assert browser.sign_in(jwt(exp)).status_code == 401


@pytest.mark.parametrize("size", [100, 2000, 2800])
def test_a_large_token_fits_into_two_cookies(door, browser, size):
    token = jwt(int(door.clock.now().timestamp()) + 3600, size)
    door.tokens[token] = ("eve@example.com", ())
    assert browser.sign_in(token).status_code == 303
    assert all(len(value) <= 3600 for value in browser.held().values())
    assert browser.get("/").json()["user"] == "eve@example.com"
    browser.sign_in()
    assert browser.get("/").json()["user"] == "ann@example.com", "nothing is left of the larger one"


def test_a_token_that_is_too_large_is_said_so(door, browser):
    token = jwt(int(door.clock.now().timestamp()) + 3600, 6000)
    door.tokens[token] = ("eve@example.com", ())
    answer = browser.sign_in(token)
    assert answer.status_code == 413 and "too large" in answer.text and browser.held() == {}


def test_a_changed_cookie_is_worth_nothing_and_taken_back(signed_in):
    ((name, value),) = signed_in.held().items()
    for at in (0, 10, len(value) // 2, len(value) - 1):
        bad = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
        answer = signed_in.get("/", headers={"cookie": f"{name}={bad}"})
        assert answer.status_code == 303 and "Max-Age=0" in answer.headers["set-cookie"], at


def test_only_one_spelling_of_a_cookie_is_taken(signed_in):
    """The last character of base64 has bits that no decoder reads: with another one there the bytes are the same."""
    ((name, value),) = signed_in.held().items()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for other in set(alphabet) - {value[-1]}:
        answer = signed_in.get("/", headers={"cookie": f"{name}={value[:-1]}{other}"})
        assert answer.status_code == 303, (value[-1], other)
    for twisted in (value + "=", f"{value[:9]} {value[9:]}", f"{value}AAAA"):
        assert signed_in.get("/", headers={"cookie": f"{name}={twisted}"}).status_code == 303, twisted


def test_a_cookie_of_another_purpose_is_no_session(browser):
    browser.form()
    ((name, value),) = browser.held("form").items()
    answer = browser.get("/", headers={"cookie": f"{name.replace('form', 'session')}={value}"})
    assert answer.status_code == 303


def test_another_replica_with_the_same_keys_knows_the_session(door, signed_in):
    other = Door(stage=door.stage, keys=["n" * 32, KEY]).browser()
    other.cookies = signed_in.cookies
    assert other.get("/").json()["user"] == "ann@example.com"


def test_a_key_that_is_gone_ends_its_sessions(door, signed_in):
    other = Door(stage=door.stage, keys=["n" * 32]).browser()
    other.cookies = signed_in.cookies
    assert other.get("/").status_code == 303


def keep(stage, *keys):
    """The Secret with these keys, the last one the newest."""
    import base64

    data = {f"2026-{n:02}": base64.b64encode(k.encode()).decode() for n, k in enumerate(keys, 1)}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "session-keys", "namespace": OWN},
        "data": data,
    }
    try:
        old = stage.cluster.get(SECRET, "session-keys", OWN)
        stage.cluster.replace({**old, "data": data})
    except Exception:
        stage.cluster.create(secret)


def test_keys_in_a_secret_are_rotated_without_a_restart(door):
    keep(door.stage, KEY)
    door = Door(stage=door.stage, keys=[], keys_secret_ref="session-keys")
    browser = door.browser()
    browser.sign_in()
    keep(door.stage, KEY, "n" * 40)
    for _ in range(2):
        door.clock.sleep(61)
        assert browser.get("/").status_code == 200, "the old key still opens"
    newer = door.browser()
    newer.sign_in()
    keep(door.stage, "n" * 40)
    door.clock.sleep(61)
    assert (browser.get("/").status_code, newer.get("/").status_code) == (303, 200)


def test_a_new_key_never_seals_what_another_replica_cannot_open(door):
    keep(door.stage, KEY)
    first, second = (Door(stage=door.stage, keys=[], keys_secret_ref="session-keys") for _ in range(2))
    door.clock.sleep(40)
    second.browser().get("/")
    door.clock.sleep(20)
    keep(door.stage, KEY, "n" * 40)
    for _ in range(8):
        browser, other = first.browser(), second.browser()
        browser.sign_in()
        other.cookies = browser.cookies
        assert other.get("/").status_code == 200
        door.clock.sleep(20)


@pytest.mark.parametrize("keys", [(), ("short",), tuple("k" * (32 + n) for n in range(6))])
def test_keys_that_are_none_end_the_start_in_one_line(door, keys):
    keep(door.stage, *keys)
    with pytest.raises(
        BadInput, match=r"signin\.keys_secret_ref: the Secret session-keys: holds .*; .*openssl rand"
    ):
        Door(stage=door.stage, keys=[], keys_secret_ref="session-keys")


def test_without_keys_each_process_has_its_own(door):
    first = Door(stage=door.stage, keys=[]).browser()
    first.sign_in()
    second = Door(stage=door.stage, keys=[]).browser()
    second.cookies = first.cookies
    assert (first.get("/").status_code, second.get("/").status_code) == (200, 303)


def test_in_the_sandbox_one_is_who_one_chooses():
    browser = Door(people=PEOPLE).browser()
    assert browser.choose(0).status_code == 303
    assert browser.get("/").json()["user"] == "cleo@example.com"
    browser.choose(1)
    assert browser.get("/").json()["user"] == "dan@example.com"
    assert browser.choose(2).status_code == 400


def test_no_setting_opens_the_choice_of_people(browser, monkeypatch):
    monkeypatch.setenv("NETPOL_CANARY_SIGNIN__PEOPLE", '[{"user": "admin"}]')
    assert "people" not in SignIn.model_fields
    with pytest.raises(ValidationError):
        SignIn(people=[{"user": "admin"}])
    data = {"csrf": browser.form(), "person": "0"}
    assert browser.post("/signin/person", data=data, headers={"origin": URL}).status_code == 404


def test_a_person_of_the_sandbox_is_nobody_elsewhere():
    door = Door(people=PEOPLE)
    browser = door.browser()
    browser.choose(0)
    real = Door(stage=door.stage).browser()
    real.cookies = browser.cookies
    assert real.get("/").status_code == 303


def test_tokens_can_be_switched_off_and_their_sessions_with_them(door, signed_in):
    other = Door(stage=door.stage, token=False).browser()
    other.cookies = signed_in.cookies
    assert other.get("/").status_code == 303
    assert "No way to sign in" in other.get("/signin").text


def test_one_address_cannot_try_without_end(door, browser):
    answers = [browser.sign_in("wrong").status_code for _ in range(21)]
    assert answers == [401] * 20 + [429]
    assert browser.sign_in().status_code == 429
    door.clock.sleep(60)
    assert browser.sign_in().status_code == 303


@pytest.mark.parametrize(
    "given",
    [
        {"keys": ["short"]},
        {"keys": ["k" * 32], "keys_secret_ref": "x"},
        {"external_url": "http://rollouts.example.com"},
        {"external_url": "http://localhost"},
        {"external_url": "https://rollouts.example.com/below"},
        {"external_url": "https://user:pw@rollouts.example.com"},
        {"oidc": {"issuer": "https://id.example.com", "client_id": "x"}},
        {"external_url": URL, "oidc": {"issuer": "http://id.example.com", "client_id": "x"}},
        {
            "external_url": URL,
            "oidc": {
                "issuer": "https://id.example.com",
                "client_id": "x",
                "impersonate_groups": ["system:masters"],
            },
        },
        {"external_url": URL, "oidc": {"issuer": "https://id.example.com"}},
        {"trusted_proxies": ["everybody"]},
        {"anonymous": "write"},
        {"session_seconds": 10**9},
        {"unknown": 1},
    ],
)
def test_settings_that_would_not_be_safe_are_refused(given):
    with pytest.raises(ValidationError):
        SignIn(**given)


def test_each_setting_is_described():
    for model in (SignIn, Oidc):
        assert all(field.description for field in model.model_fields.values())
