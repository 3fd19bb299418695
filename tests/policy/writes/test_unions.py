"""What two sets of NetworkPolicies allow together, at each end of a connection by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st
from random_policies import ADDRESSES, PODS, SPACES, policy, sets, specs

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects.directions import EGRESS, INGRESS
from orchestrator.policy.writes.intersect import Inexact
from orchestrator.policy.writes.unions import both

MINE = [pod for pod in PODS if pod.namespace == "x"]


def passing(policies):
    """What each pod of the namespace lets out to whom, and in from whom."""
    net, ends = Network(SPACES, policies), [*PODS, *ADDRESSES]
    out = [net.passing(EGRESS, pod, end) for pod in MINE for end in ends]
    return out + [net.passing(INGRESS, end, pod) for pod in MINE for end in ends]


@settings(max_examples=150)
@given(before=sets, after=sets, unchanged=st.lists(specs, max_size=1))
def test_each_end_lets_pass_what_either_set_lets_pass_there(before, after, unchanged):
    others = [policy("unchanged", spec) for spec in unchanged]
    same = [p for p in before if p in after]
    before, after = ([p for p in side if p not in same] for side in (before, after))
    others += same
    try:
        together = both(before, after, others)
    except Inexact:
        return
    names = [p["metadata"]["name"] for p in together]
    assert len(set(names)) == len(names)
    old, new, found = (passing([*some, *others]) for some in (before, after, together))
    assert found == [one | other for one, other in zip(old, new, strict=True)]


def test_names_that_are_taken_and_long_ones_stay_apart():
    def other(name, app):
        return policy(
            name, {"podSelector": {"matchLabels": {"app": app}}, "policyTypes": ["Ingress"], "ingress": [{}]}
        )

    long = "n" * 250
    before = [other("p", "a"), other("p--new", "a"), other(long, "a")]
    after = [other("p", "b"), other("p--new", "b"), other(long, "b")]
    names = [p["metadata"]["name"] for p in both(before, after, [])]
    assert len(set(names)) == len(names) and all(len(name) <= 253 for name in names)
