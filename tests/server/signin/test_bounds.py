"""What the way in remembers is bounded, and forgets the right things."""

from datetime import UTC, datetime, timedelta

import pytest
from stage import Stage

from orchestrator.errors import Unreachable
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.sandbox.people import People
from orchestrator.server.parts import Parts
from orchestrator.server.signin import session, viewers
from orchestrator.server.signin.permission import Permission
from orchestrator.server.signin.rate_limits import Attempts, caller
from orchestrator.server.signin.signin_settings import SignIn

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_attempts_come_back_with_time_and_are_counted_by_address():
    tries = Attempts(10)
    assert [tries.allowed("192.0.2.1", NOW) for _ in range(11)] == [True] * 10 + [False]
    assert tries.allowed("192.0.2.2", NOW)
    later = NOW + timedelta(seconds=12)
    assert [tries.allowed("192.0.2.1", later) for _ in range(3)] == [True, True, False]


def test_a_network_of_ipv6_counts_as_one_address():
    tries = Attempts(2)
    assert [tries.allowed(f"2001:db8::{n}", NOW) for n in range(3)] == [True, True, False]
    assert tries.allowed("2001:db8:0:1::1", NOW)


def test_many_addresses_together_are_bounded_in_number_and_in_memory():
    tries = Attempts(2, most=100)
    answers = [tries.allowed(f"198.51.{n // 250}.{n % 250}", NOW) for n in range(1000)]
    assert (sum(answers), len(tries)) == (40, 100)


@pytest.mark.parametrize(
    ("nearest", "forwarded", "is_"),
    [
        ("192.0.2.9", ["198.51.100.1"], "192.0.2.9"),
        ("10.0.0.1", ["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.5", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(nearest, forwarded, is_):
    assert caller(nearest, forwarded, ["10.0.0.0/8"]) == is_


class Asked:
    """A cluster that counts how often it is asked, and answers as told."""

    def __init__(self):
        self.count, self.answer = 0, True

    def create(self, obj, *, dry_run=False):
        self.count += 1
        if self.answer is None:
            raise Unreachable("no route")
        return {**obj, "status": {"allowed": self.answer}}


def test_a_permission_is_asked_again_after_some_seconds():
    clock, cluster = SimulatedClock(), Asked()
    may = Permission(cluster, "netpol-canary", clock)
    assert may("create", "rolloutapprovals") and may("create", "rolloutapprovals") and cluster.count == 1
    cluster.answer = False
    clock.sleep(11)
    assert not may("create", "rolloutapprovals")


def test_a_permission_that_cannot_be_asked_is_no_and_is_not_remembered():
    cluster = Asked()
    may, cluster.answer = Permission(cluster, "netpol-canary", SimulatedClock()), None
    assert not may("create", "rolloutapprovals")
    cluster.answer = True
    assert may("create", "rolloutapprovals")


def one_known():
    """The connections of whoever has a session, where one person may sign in."""
    stage = Stage()
    callers = People(stage.cluster, tokens={"t": ("ann@example.com", ())})
    return viewers.Viewers(Parts(stage.context(), callers=callers), SignIn())


def test_connections_are_kept_for_a_bounded_number_of_sessions():
    known = one_known()
    made = [session.begin("token", "ann@example.com", (), NOW, 60, "t") for _ in range(viewers.MOST + 50)]
    first = [known.of(s) for s in made]
    assert len(known._known) == viewers.MOST
    assert known.of(made[-1]) is first[-1] and known.of(made[0]) is not first[0]


def test_two_sessions_never_share_connections():
    known = one_known()
    one, two = (session.begin("token", "ann@example.com", (), NOW, 60, "t") for _ in range(2))
    assert known.of(one).cluster is not known.of(two).cluster
