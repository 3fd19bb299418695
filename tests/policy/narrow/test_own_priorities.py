"""Where each AdminNetworkPolicy needs a priority of its own, its parts have the next free one, and keep their place among all others."""

import pytest
from written import plain

from orchestrator.policy.narrow.own_priorities import apart
from orchestrator.policy.narrow.scopes import Scope, Unnarrowable, split

SOME = Scope(frozenset({"a"}))


def admin(name, priority, action="Allow"):
    rule = {"action": action, "from": [{"namespaces": {}}]}
    return plain(
        "AdminNetworkPolicy", name, {"priority": priority, "subject": {"namespaces": {}}, "ingress": [rule]}
    )


def priorities(before, after, taken=()):
    found = apart(split([before] if before else [], [after], SOME), taken)
    return {p["metadata"]["name"]: p["spec"]["priority"] for p in found}


@pytest.mark.parametrize(
    ("own", "taken", "found"),
    [(5, (), 6), (5, (6,), 4), (5, (3, 7), 6), (99, (), 98), (0, (), 1), (99, (10,), 98)],
)
def test_a_part_has_the_next_free_one(own, taken, found):
    assert priorities(admin("x", own), admin("x", own, "Deny"), taken) == {"x": own, "x--canary": found}


def test_one_that_is_new_keeps_its_own_and_so_does_a_change_of_it():
    assert priorities(None, admin("x", 5)) == {"x--canary": 5}
    assert priorities(admin("x", 5), admin("x", 9, "Deny")) == {"x": 5, "x--canary": 9}


@pytest.mark.parametrize(("own", "taken"), [(5, (4, 6)), (0, (1,)), (99, (98,))])
def test_where_none_is_free_that_is_said(own, taken):
    with pytest.raises(Unnarrowable, match=f"x of priority {own} has no free priority beside it"):
        priorities(admin("x", own), admin("x", own, "Deny"), taken)
