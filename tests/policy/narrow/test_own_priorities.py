"""Where a CNI wants a priority for each AdminNetworkPolicy, parts take those that are free, and pass no other policy."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written import plain

from orchestrator.policy.narrow.own_priorities import apart
from orchestrator.policy.narrow.scopes import Scope, Unnarrowable, split

MOST = 99
CANARY = Scope(frozenset({"shop"}), {"matchLabels": {"track": "canary"}})


def admin(name, priority, **more):
    return plain("AdminNetworkPolicy", name, {"priority": priority, "subject": {"namespaces": {}}, **more})


def changed(*objects):
    return split([*objects], [{**obj, "spec": {**obj["spec"], "egress": []}} for obj in objects], CANARY)


def priorities(objects):
    return {obj["metadata"]["name"]: obj["spec"]["priority"] for obj in objects}


def test_parts_stand_next_to_their_policy_and_pass_no_other():
    found = apart(changed(admin("a", 10)), [admin("b", 8), admin("c", 12), admin("unasked", 100)], MOST)
    assert priorities(found) == {"a": 10, "a--canary": 9, "a--rest-2": 11}


def test_where_none_is_free_that_is_said():
    with pytest.raises(
        Unnarrowable, match=r"AdminNetworkPolicy/a cannot be .* need 2 more priorities, and there are 1 free"
    ):
        apart(changed(admin("a", 10)), [admin("b", 8), admin("c", 11)], MOST)
    with pytest.raises(Unnarrowable, match="there are 1 free beside its 99"):
        apart(changed(admin("a", 99)), [admin("b", 97)], MOST)


def test_what_shared_a_priority_before_is_refused():
    with pytest.raises(Unnarrowable, match="its priority 10 is that of AdminNetworkPolicy/b, too"):
        apart(changed(admin("a", 10)), [admin("b", 10)], MOST)
    with pytest.raises(Unnarrowable, match="its priority 10 is that of AdminNetworkPolicy/b, too"):
        apart(changed(admin("a", 10), admin("b", 10)), [], MOST)


def test_what_nobody_asks_and_what_has_no_such_priority_stays():
    others = [
        plain("ClusterNetworkPolicy", "c", {"tier": "Admin", "priority": 3, "subject": {"namespaces": {}}}),
        admin("d", 200),
    ]
    assert apart(changed(*others), [admin("e", 3)], MOST) == changed(*others)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=6, unique=True), st.integers(1, 3))
def test_each_has_its_own_and_its_place_among_all_others(numbers, changing):
    mine, beside = ([admin(f"p{n}", n) for n in some] for some in (numbers[:changing], numbers[changing:]))
    parts = changed(*mine)
    try:
        found = apart(parts, beside, 20)
    except Unnarrowable:
        assert not _fits(numbers, changing)
        return
    assert len({*priorities([*found, *beside]).values()}) == len(found) + len(beside)
    assert all(0 <= one <= 20 for one in priorities(found).values())
    was, now = priorities([*parts, *beside]), priorities([*found, *beside])
    assert all(now[a] < now[b] for a in was for b in was if was[a] < was[b])
    assert all(now[f"p{n}"] == n for n in numbers)


def _fits(numbers, changing):
    """Whether two more places can be had for each that changes, tried one gap after another."""
    bounds = [-1, *sorted(numbers), 21]
    left = [after - before - 1 for before, after in pairwise(bounds)]
    for at, number in enumerate(sorted(numbers)):
        if number in numbers[:changing]:
            lower = min(2, max(0, left[at]))
            left[at], left[at + 1] = left[at] - lower, left[at + 1] - (2 - lower)
    return min(left) >= 0
