"""Scopes and policies that would lead narrowing astray: each is narrowed exactly, or refused with the reason."""

import copy

import pytest
from written import plain

from orchestrator.policy.evaluate.cilium.cilium_agent import CiliumAgent
from orchestrator.policy.narrow.scopes import NARROWED_FROM, Scope, Unnarrowable, means_beside_pods, split
from orchestrator.policy.narrow.unseen_labels import unseen
from orchestrator.policy.schemas.acceptable import objections

CILIUM, CALICO = "cilium.io/v2", "projectcalico.org/v3"
CANARY = Scope(selector={"matchLabels": {"track": "canary"}})


def policy(place, selector=None, **more):
    return plain("NetworkPolicy", place, {"podSelector": selector or {}}, **more)


def expressions(count, prefix="k", operator="Exists"):
    return {"matchExpressions": [{"key": f"{prefix}{n}", "operator": operator} for n in range(count)]}


def names(found):
    return [obj["metadata"]["name"] for obj in found]


def test_a_selector_of_sixty_expressions_is_a_part_for_each_of_them():
    found = split([policy("shop/db")], [], Scope(selector=expressions(60)))
    assert len(found) == 60
    assert names(found)[0] == "db" and "db--rest-60" in names(found)
    assert [wrong for obj in found for wrong in objections(obj)] == []


def test_too_many_expressions_or_parts_are_refused():
    with pytest.raises(
        Unnarrowable, match=r"narrowed, it would not be valid: .* holds 120 items, more than 100"
    ):
        split([policy("shop/db", expressions(60))], [], Scope(selector=expressions(60, "s")))
    with pytest.raises(Unnarrowable, match="come to 71 objects, more than 64"):
        split([policy("shop/db")], [], Scope(selector=expressions(70)))


def test_the_longest_names_stay_apart_and_valid():
    longest = ["n" * 240 + end for end in ("a" * 13, "b" * 13)]
    old = [policy(f"shop/{name}") for name in longest]
    found = split(old, [{**obj, "spec": {**obj["spec"], "ingress": [{}]}} for obj in old], CANARY)
    assert len({*names(found)}) == 4 and {*longest} < {*names(found)}
    assert sum(name.endswith("--canary") and len(name) == 253 for name in names(found)) == 2
    assert [wrong for obj in found for wrong in objections(obj)] == []
    assert {obj["metadata"]["annotations"][NARROWED_FROM] for obj in found} == {*longest}


@pytest.mark.parametrize(
    ("own", "outside", "inside"),
    [
        ({"matchLabels": {"track": "stable"}}, True, False),
        ({"matchLabels": {"track": "canary"}}, False, True),
        ({"matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]}, True, False),
        ({"matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary", "x"]}]}, True, False),
        # Both on one key: what they leave is the canary, or nothing.
        ({"matchLabels": {"track": "canary"}, "matchExpressions": [{"key": "track", "operator": "Exists"}]}, False, True),
        ({"matchLabels": {"track": "canary"}, "matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary"]}]}, True, False),
    ],
)  # fmt: skip
def test_a_policy_on_one_side_of_the_scope_stays_whole_there(own, outside, inside):
    old = policy("shop/db", own)
    new = {**old, "spec": {**old["spec"], "ingress": [{}]}}
    assert split([old], [], CANARY) == [old] * outside
    assert split([], [new], CANARY) == [new] * inside


def test_an_empty_list_selects_nothing_and_is_refused_in_a_scope():
    old = plain("NetworkPolicy", "shop/db", {"selector": "track in {}"}, version=CALICO)
    assert split([old], [], CANARY) == [old]
    assert split([], [old], CANARY) == []
    nothing = {"matchExpressions": [{"key": "track", "operator": "In", "values": []}]}
    with pytest.raises(
        Unnarrowable, match=r"the scope is not valid: selector\.matchExpressions\[0\]\.values"
    ):
        split([old], [], Scope(selector=nothing))


@pytest.mark.parametrize(
    "scope",
    [
        Scope(selector={"matchLabels": {"track": "' || all() || x == '"}}),
        Scope(selector={"matchLabels": {"a) || has(b": "c"}}),
        Scope(selector={"matchExpression": []}),
        Scope(frozenset({"shop'}"})),
    ],
)
def test_a_scope_that_no_api_takes_is_refused(scope):
    with pytest.raises(Unnarrowable, match="the scope is not valid"):
        split([plain("NetworkPolicy", "shop/db", {}, version=CALICO)], [], scope)


def test_derived_names_that_meet_others_give_way():
    old = [policy(f"shop/{name}") for name in ("db", "db--canary", "db--canary-2")]
    new = [{**obj, "spec": {**obj["spec"], "ingress": [{}]}} for obj in old]
    found = split(old, new, CANARY, [policy("shop/db--canary--canary")])
    assert sorted(names(found)) == [
        "db", "db--canary", "db--canary--canary-2", "db--canary-2", "db--canary-2--canary", "db--canary-3",
    ]  # fmt: skip
    assert {obj["metadata"]["name"]: obj["metadata"]["annotations"][NARROWED_FROM] for obj in found}[
        "db--canary-3"
    ] == "db"
    of_two_apis = [policy("shop/db"), plain("NetworkPolicy", "shop/db", {}, version=CALICO)]
    assert names(split([], of_two_apis, CANARY)) == ["db--canary", "db--canary"]


def test_a_part_has_labels_and_notes_of_the_whole_but_not_what_is_of_that_object_alone():
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    about = {"uid": "1", "resourceVersion": "2", "annotations": {"owner": "pay", applied: "{}"}}
    old = policy("shop/db", labels={"team": "red"}, about=about)
    kept = copy.deepcopy(old)
    rest, some = split([old], [{**old, "spec": {**old["spec"], "ingress": [{}]}}], CANARY)
    assert old == kept
    assert rest["metadata"] == {
        **old["metadata"],
        "annotations": {"owner": "pay", applied: "{}", NARROWED_FROM: "db"},
    }
    assert some["metadata"] == {
        "name": "db--canary",
        "namespace": "shop",
        "labels": {"team": "red"},
        "annotations": {"owner": "pay", NARROWED_FROM: "db"},
    }


def test_a_namespace_that_cilium_overrides_does_not_count():
    spec = {"endpointSelector": {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "bank"}}, "ingress": [{}]}
    old = plain("CiliumNetworkPolicy", "shop/db", spec, version=CILIUM)
    (some,) = split([], [old], Scope(frozenset({"shop"}), CANARY.selector))
    assert some["spec"]["endpointSelector"] == {"matchLabels": {"k8s:track": "canary"}}
    asked = [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "In", "values": ["bank"]}]
    old["spec"]["endpointSelector"] = {"matchExpressions": asked}
    (some,) = split([], [old], CANARY)  # that one it does not override: it selects nothing, and still does
    assert some["spec"]["endpointSelector"]["matchExpressions"] == asked


def test_a_selector_as_deep_as_can_be_read_is_refused_where_it_would_become_deeper():
    deep = f"{'(' * 64}a == 'b' || c == 'd'{')' * 64}"
    old = plain("NetworkPolicy", "shop/db", {"selector": deep}, version=CALICO)
    with pytest.raises(Unnarrowable, match=r"narrowed, it would not be valid: spec.selector"):
        split([old], [], CANARY)


def calico(name, action="Deny", **spec):
    return plain(
        "GlobalNetworkPolicy", name, {"order": 5, "ingress": [{"action": action}], **spec}, version=CALICO
    )


@pytest.mark.parametrize("near", ["db-x", "db.x"])
def test_where_names_decide_the_order_a_part_may_not_change_it(near):
    old, new = calico("db", "Allow"), calico("db", "Allow", types=["Ingress"])
    with pytest.raises(
        Unnarrowable, match=f"it has the order of GlobalNetworkPolicy/{near}, so that names say"
    ):
        split([old], [new], CANARY, [calico(near)])
    with pytest.raises(Unnarrowable, match="so that names say"):  # all of them change
        split([old, calico(near, "Pass")], [new, calico(near)], CANARY)
    for other in (
        calico(near, "Allow"),
        calico(near, order=6),
        calico(near, tier="late"),
        calico("dc"),
        calico(near, ingress=[], egress=[{"action": "Deny"}]),
        plain("NetworkPolicy", f"shop/{near}", {}),
    ):
        assert len(split([old], [new], CANARY, [other])) == 2


def test_a_network_policy_may_not_change_its_place_among_those_of_calico_either():
    old = policy("shop/db")
    new = {**old, "spec": {**old["spec"], "ingress": [{}]}}
    beside = calico("db-x", order=1000)
    with pytest.raises(
        Unnarrowable, match=r"NetworkPolicy shop/db cannot be narrowed .* GlobalNetworkPolicy/db-x"
    ):
        split([old], [new], CANARY, [beside])
    assert len(split([old], [new], CANARY, [{**beside, "spec": {**beside["spec"], "order": 999}}])) == 2


def test_a_selector_that_cannot_be_read_may_mean_host_endpoints():
    obj = plain("GlobalNetworkPolicy", "db", {"selector": "app = 'x'"}, version=CALICO)
    assert means_beside_pods(obj) == "host endpoints"


@pytest.mark.parametrize(
    ("key", "labels", "said"),
    [
        ("track", "", ""),
        ("rollouts-pod-template-hash", "", ""),
        ("pod-template-hash", "", "Cilium leaves pod-template-hash out of the labels that it knows pods by"),
        (
            "track",
            "k8s:app",
            "Cilium has a choice of labels of its own that it knows pods by (k8s:app): whether track count",
        ),
    ],
)
def test_a_scope_that_cilium_cannot_see_is_said(key, labels, said):
    assert unseen(Scope(selector={"matchLabels": {key: "1"}}), CiliumAgent(labels=labels)).startswith(said)
    assert bool(unseen(Scope(selector={"matchLabels": {key: "1"}}), CiliumAgent(labels=labels))) is bool(said)
    assert unseen(Scope(frozenset({"shop"})), CiliumAgent(labels=labels)) == ""
