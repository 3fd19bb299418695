"""A token is made anew before it ends, once where it is refused, and by one thread for all."""

import threading

import pytest
from patience import ENOUGH

from orchestrator.adapters.http.client import Client
from orchestrator.adapters.identities.renewed_token import AGAIN, EARLY, PAUSE, Bearer, RenewedToken, Token
from orchestrator.errors import IdentityError, MetricError
from orchestrator.sandbox.clock import SimulatedClock


class Maker:
    """Makes t1, t2, …; fails while `down`."""

    def __init__(self, seconds=3600.0):
        self.seconds, self.count, self.down = seconds, 0, False

    def __call__(self):
        self.count += 1
        if self.down:
            raise IdentityError("nobody there")
        return Token(f"token-{self.count}", self.seconds)


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def maker():
    return Maker()


@pytest.fixture
def tokens(maker, clock):
    return RenewedToken(maker, clock)


def test_it_is_made_anew_shortly_before_it_ends(tokens, maker, clock):
    assert tokens.token() == tokens.token() == "token-1"
    clock.sleep(3600 - EARLY - 1)
    assert tokens.token() == "token-1"
    clock.sleep(1)
    assert tokens.token() == "token-2" and maker.count == 2


def test_while_no_other_is_to_be_had_it_is_used_until_its_end(tokens, maker, clock):
    tokens.token()
    maker.down = True
    clock.sleep(3600 - EARLY)
    assert tokens.token() == "token-1"
    clock.sleep(EARLY)
    with pytest.raises(IdentityError, match="nobody there"):
        tokens.token()
    maker.down = False
    clock.sleep(PAUSE)
    assert tokens.token() == "token-4"


def test_a_failure_is_everybodys_answer_for_a_moment(tokens, maker, clock):
    maker.down = True
    for _ in range(20):
        with pytest.raises(IdentityError):
            tokens.token()
    assert maker.count == 1
    clock.sleep(PAUSE)
    with pytest.raises(IdentityError):
        tokens.token()
    assert maker.count == 2


@pytest.mark.parametrize(("said", "kept"), [(-7200.0, 22), (0.0, 22), (float("inf"), 86_099), (1e12, 86_099)])
def test_a_life_that_cannot_be_is_bounded_so_that_a_wrong_clock_makes_no_storm(clock, said, kept):
    maker = Maker(said)
    tokens = RenewedToken(maker, clock)
    tokens.token()
    clock.sleep(kept)
    tokens.token()
    assert maker.count == 1
    clock.sleep(1)
    tokens.token()
    assert maker.count == 2


def test_a_clock_that_is_set_changes_nothing(tokens, maker, clock):
    tokens.token()
    clock.set(-86_400)
    assert tokens.token() == "token-1"
    clock.set(2 * 86_400)
    assert tokens.token() == "token-1" and maker.count == 1


def test_who_refuses_every_token_has_one_made_a_minute(tokens, maker, clock):
    assert tokens.refused(tokens.token())
    assert tokens.token() == "token-2" and not tokens.refused("token-2")
    assert tokens.refused("token-1")  # asked with the old one meanwhile: the new one is there
    clock.sleep(AGAIN)
    assert tokens.refused("token-2") and maker.count == 2


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "ü", "x" * 16_385, "a\x00"])
def test_what_no_header_can_carry_is_no_token(clock, text):
    with pytest.raises(IdentityError, match=r"it gave something that is no token$"):
        RenewedToken(lambda: Token(text, 60), clock).token()


def test_many_threads_have_one_made(clock):
    inside, go = threading.Event(), threading.Event()
    maker = Maker()

    def make():
        inside.set()
        assert go.wait(ENOUGH)
        return maker()

    tokens, found = RenewedToken(make, clock), []
    threads = [threading.Thread(target=lambda: found.append(tokens.token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert inside.wait(ENOUGH)
    go.set()
    for thread in threads:
        thread.join(ENOUGH)
    assert found == ["token-1"] * 8 and maker.count == 1


@pytest.fixture
def client(httpserver, tokens):
    return Client(httpserver.url_for("/"), MetricError, identity=Bearer(tokens))


def test_a_refused_token_is_replaced_once_and_the_request_repeated(httpserver, client, maker):
    httpserver.expect_ordered_request("/x").respond_with_data("old", 401)
    httpserver.expect_ordered_request("/x").respond_with_json({"good": True})
    assert client.ask("POST", "x", form={"query": "up"}).status == 200
    sent = [(r.headers["Authorization"], r.get_data()) for r, _ in httpserver.log]
    assert sent == [("Bearer token-1", b"query=up"), ("Bearer token-2", b"query=up")]


def test_who_refuses_again_is_not_asked_again(httpserver, client, maker):
    httpserver.expect_request("/x").respond_with_data("no", 401)
    assert client.ask("GET", "x").status == 401
    assert client.ask("GET", "x").status == 401
    assert len(httpserver.log) == 3 and maker.count == 2


@pytest.mark.parametrize("status", [200, 403, 429, 500])
def test_another_answer_renews_nothing(httpserver, client, maker, status):
    httpserver.expect_request("/x").respond_with_data("x", status)
    client.ask("GET", "x")
    assert len(httpserver.log) == maker.count == 1


def test_what_a_server_writes_back_of_old_and_new_tokens_is_blotted_out(httpserver, client):
    httpserver.expect_request("/x").respond_with_data("no", 401)
    client.ask("GET", "x")
    assert client.clean("you are token-1, or Bearer token-2?") == "you are ***, or Bearer ***?"
    assert "token-" not in repr(client) and "token-" not in repr(client.ask("GET", "x"))


def test_where_there_is_no_token_nobody_is_asked(httpserver, client, maker):
    maker.down = True
    with pytest.raises(MetricError, match=r"^http://localhost:\d+ was not asked: nobody there$"):
        client.ask("GET", "x")
    assert httpserver.log == []


def test_a_redirect_takes_no_token_away(httpserver, client):
    httpserver.expect_request("/x").respond_with_data("", 307, {"Location": "http://127.0.0.1:1/x"})
    with pytest.raises(MetricError, match="a redirect, which is not followed"):
        client.ask("GET", "x")
    assert len(httpserver.log) == 1
