"""Values that many objects share are checked once: equal ones say the same, and what only looks equal is looked at by itself."""

import pytest

from orchestrator.policy.schemas.fields import boolean, list_of, mapping, once, string
from orchestrator.policy.schemas.schema import problems

looked = []


def _looking(value, path):
    looked.append(value)
    yield f"{path}: wrong"


def test_equal_values_are_looked_at_once_and_all_are_told_of():
    looked.clear()
    check = once(_looking)
    told = [list(check({"a": [{"b": 1}]}, "spec")) for _ in range(3)]
    assert told == [["spec: wrong"]] * 3 and len(looked) == 1


def test_each_is_told_where_it_stands():
    check = once(_looking)
    assert [next(check([], path)) for path in ("specs[0]", "specs[1]")] == [
        "specs[0]: wrong",
        "specs[1]: wrong",
    ]


@pytest.mark.parametrize(("sound", "wrong"), [(True, 1), ("1", 1), (False, 0.0), ("", None)])
def test_values_that_only_compare_equal_are_told_apart(sound, wrong):
    plain = mapping({"a": boolean if isinstance(sound, bool) else string(), "b": list_of(string())})
    check = once(plain)
    assert list(check({"a": sound}, "x")) == [] == list(plain({"a": sound}, "x"))
    assert list(check({"a": wrong}, "x")) == list(plain({"a": wrong}, "x"))
    assert list(check({"b": [sound]}, "x")) == list(plain({"b": [sound]}, "x"))


def test_what_json_does_not_know_and_what_is_long_is_looked_at_each_time():
    looked.clear()
    check = once(_looking)
    for value in (object, "a" * 10_000):
        assert [list(check(value, "x")) for _ in range(2)] == [["x: wrong"]] * 2
    assert len(looked) == 4


def test_a_policy_with_the_spec_of_another_is_told_of_its_own_metadata():
    spec = {"podSelector": {}, "policyTypes": ["Ingres"]}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": spec}
    found = [problems({**policy, "metadata": {"name": name}}) for name in ("web", "Web")]
    assert len(found[0]) == 1
    assert [*found[0], *(text for text in found[1] if text.startswith("metadata.name"))] == found[1]
