"""An answer that is not the expected one is believed late: a busy node programs the policies of a new pod late."""

import pytest

from orchestrator.probe import agent


class Time:
    """A clock that pauses move, by `late` seconds more than they were asked for."""

    def __init__(self, monkeypatch, late=0.0):
        self.now, self.late = 100.0, late
        monkeypatch.setattr(agent.time, "monotonic", lambda: self.now)

    def wait(self, seconds):
        self.now += seconds + self.late

    def is_set(self):
        return False


def tried(monkeypatch, answer, late=0.0, **work):
    """What a pod says of one connection; `answer` is given the seconds since the pod began."""
    clock = Time(monkeypatch, late)
    monkeypatch.setattr(agent, "attempt", lambda target, timeout: (answer(clock.now - 100.0), ""))
    target = agent.Target("10.0.0.1", 80, reach=work.pop("reach", True))
    given = {"seconds": 28.0, "stable": 5.0, "timeout": 1.5, "ready": 14.0, "probes": [target], **work}
    done = agent.test(given, clock)
    (row,) = done["results"]
    return row[0], bool(row[4]), done["seconds"]


@pytest.mark.parametrize("until", [2, 8, 13])
def test_an_allowed_connection_that_comes_late_is_answered_as_what_holds(monkeypatch, until):
    answer, settled, seconds = tried(monkeypatch, lambda age: "refused" if age < until else "connected")
    assert (answer, settled) == ("connected", True)
    assert seconds <= until + 4


@pytest.mark.parametrize("until", [2, 8, 13])
def test_a_denied_connection_that_is_open_at_first_is_answered_as_what_holds(monkeypatch, until):
    found = tried(monkeypatch, lambda age: "connected" if age < until else "timeout", reach=False)
    assert found[:2] == ("timeout", True)


def test_a_real_denial_is_believed_at_the_stated_time(monkeypatch):
    answer, settled, seconds = tried(monkeypatch, lambda age: "timeout")
    assert (answer, settled) == ("timeout", True) and 14 <= seconds < 15


def test_on_a_busy_node_it_is_believed_later_and_at_the_end_at_the_latest(monkeypatch):
    late = tried(monkeypatch, lambda age: "refused" if age < 20 else "connected", late=0.5)
    assert late[:2] == ("connected", True)
    answer, settled, seconds = tried(monkeypatch, lambda age: "refused", late=0.5)
    assert (answer, settled) == ("refused", True) and 14 < seconds <= 30


def test_what_is_as_expected_is_not_waited_for(monkeypatch):
    assert tried(monkeypatch, lambda age: "connected")[2] < 4


def test_work_without_the_word_is_done_as_before(monkeypatch):
    assert tried(monkeypatch, lambda age: "refused", ready=0.0)[2] < 7
    assert agent.read('{"mode": "test"}')["ready"] == 0.0
