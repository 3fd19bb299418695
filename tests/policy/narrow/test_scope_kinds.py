"""What each kind of policy comes to for the pods of a scope, and for all others."""

import pytest
from written import plain

from orchestrator.policy.narrow.scopes import NARROWED_FROM, Scope, Unnarrowable, means_beside_pods, split

CANARY = Scope(frozenset({"shop"}), {"matchLabels": {"track": "canary"}})
EVERYTHING, NOTHING = Scope(), Scope(namespaces=frozenset())


def network_policy(place, selector, **spec):
    return plain("NetworkPolicy", place, {"podSelector": selector, **spec})


def names(found):
    return [obj["metadata"]["name"] for obj in found]


def test_a_network_policy_has_a_part_for_the_scope_and_one_for_the_rest():
    old = network_policy("shop/db", {"matchLabels": {"app": "db"}}, ingress=[{}])
    new = network_policy("shop/db", {"matchLabels": {"app": "db"}}, policyTypes=["Ingress"])
    rest, some = split([old], [new], CANARY)
    assert rest == network_policy(
        "shop/db",
        {
            "matchLabels": {"app": "db"},
            "matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary"]}],
        },
        ingress=[{}],
    ) | {"metadata": {"name": "db", "namespace": "shop", "annotations": {NARROWED_FROM: "db"}}}
    assert some["metadata"] == {
        "name": "db--canary",
        "namespace": "shop",
        "annotations": {NARROWED_FROM: "db"},
    }
    assert some["spec"] == {
        "podSelector": {"matchLabels": {"app": "db", "track": "canary"}},
        "policyTypes": ["Ingress"],
    }


def test_everything_is_the_new_policies_and_nothing_the_old_ones():
    old, new = network_policy("shop/db", {}, ingress=[{}]), network_policy("shop/db", {})
    assert split([old], [new], EVERYTHING) == [new]
    assert split([old], [new], NOTHING) == [old]
    assert split([old], [new], Scope(frozenset({"bank"}))) == [old]
    assert split([old], [new], Scope(frozenset({"shop"}))) == [new]


@pytest.mark.parametrize("kind", ["Tier", "GlobalNetworkSet"])
def test_a_kind_without_a_subject_is_refused(kind):
    obj = plain(kind, "one", {}, version="projectcalico.org/v3")
    with pytest.raises(Unnarrowable, match="every policy that refers to it"):
        split([], [obj], CANARY)
    assert split([obj], [obj], CANARY) == [obj]  # unchanged, it changes nothing
    assert means_beside_pods(obj) == ""
