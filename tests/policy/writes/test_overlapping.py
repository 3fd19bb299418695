"""What may select the same pods is found without trying each policy, and nothing that does is missed."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.policy.objects.selector import complement, conjunction, matches
from orchestrator.policy.writes import unions, write_order
from orchestrator.policy.writes.intersect import Inexact
from orchestrator.policy.writes.overlapping import Overlapping

KEYS, VALUES = ("app", "tier"), ("a", "b", "c")
expressions = st.builds(
    lambda key, operator, values: (
        {"key": key, "operator": operator} | ({"values": values} if "In" in operator else {})
    ),
    st.sampled_from(KEYS),
    st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True),
)
selectors = st.builds(
    lambda labels, some: {"matchLabels": labels, "matchExpressions": some},
    st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2),
    st.lists(expressions, max_size=3),
)
PODS = [
    {k: v for k, v in (("app", a), ("tier", t)) if v} for a in ("", *VALUES, "z") for t in ("", *VALUES, "z")
]


def policy(selector):
    return {"metadata": {"name": "x"}, "spec": {"podSelector": selector}}


@given(selectors, selectors)
def test_a_conjunction_selects_what_both_select(left, right):
    both = conjunction(left, right)
    for pod in PODS:
        assert matches(both, pod) == (matches(left, pod) and matches(right, pod))


@given(selectors)
def test_a_complement_selects_the_rest(selector):
    rest = complement(selector)
    for pod in PODS:
        assert any(matches(r, pod) for r in rest) != matches(selector, pod)


@given(selectors, st.lists(selectors, max_size=6))
def test_whatever_selects_a_pod_of_the_selector_is_near(selector, others):
    policies = [policy(o) for o in others]
    near = Overlapping(policies).near(selector)
    assert near == [p for p in policies if any(n is p for n in near)]
    for one in policies:
        if any(matches(selector, pod) and matches(one["spec"]["podSelector"], pod) for pod in PODS):
            assert any(n is one for n in near)


@given(selectors, st.lists(selectors, max_size=4))
def test_what_is_left_of_a_policy_is_what_no_other_selects(selector, others):
    try:
        left = unions.without(policy(selector), Overlapping([policy(o) for o in others]))
    except Inexact:
        return
    for pod in PODS:
        wanted = matches(selector, pod) and not any(matches(o, pod) for o in others)
        assert any(matches(part, pod) for part in left) == wanted


def tried(monkeypatch, number):
    """How many pairs of selectors are tried to order the writes for so many policies."""
    count = [0]

    def counted(left, right):
        count[0] += 1
        return conjunction(left, right)

    for module in (unions, write_order):
        monkeypatch.setattr(module, "conjunction", counted)

    def make(n, port):
        spec = {"podSelector": {"matchLabels": {"app": f"a{n}"}}, "ingress": [{"ports": [{"port": port}]}]}
        return {"metadata": {"name": f"p{n}"}, "spec": spec}

    everyone = [policy({}) | {"metadata": {"name": "all"}}]
    before, after = [make(n, 80) for n in range(number)], [make(n, 81) for n in range(number)]
    for old, new, others in (
        (before, after, []),
        ([], after, everyone),
        (before, [], everyone),
        (before, after, before),
    ):
        write_order.steps("pay", old, new, others, "tag")
    return count[0]


def test_pairs_that_are_tried_grow_with_the_policies_not_with_their_square(monkeypatch):
    assert tried(monkeypatch, 400) <= 5 * tried(monkeypatch, 100) + 20
