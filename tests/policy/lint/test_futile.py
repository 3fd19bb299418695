"""lint finds rules that are not in force, and selectors that nothing can ever match."""

import pytest
from linted import said
from written import pod, policy, written

POD = pod("mail/relay", more="hostNetwork: NODE")
POLICY = policy("mail/relay", "SPEC")


def told(spec, rule, node="false"):
    return said(rule, POD.replace("NODE", node), POLICY.replace("SPEC", spec))


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", "its rules under ingress do nothing: policyTypes (Egress) leaves Ingress out"),
        ("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", "its rules under egress do nothing: policyTypes (Ingress) leaves Egress out"),
        ("{podSelector: {}, egress: []}", "egress: [] denies nothing: policyTypes (absent, which means Ingress) leaves Egress out"),
        ("{podSelector: {}, policyTypes: [Egress], ingress: []}", "ingress: [] denies nothing: policyTypes (Egress) leaves Ingress out"),
    ],
)  # fmt: skip
def test_rules_of_a_direction_that_is_left_out_are_found(spec, text):
    assert told(spec, "NPC017") == [text]


@pytest.mark.parametrize(
    "spec",
    [
        "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: []}",
        "{podSelector: {}, egress: [{}]}",
        "{podSelector: {}, policyTypes: [Egress]}",
        "{podSelector: {}, policyTypes: [], egress: [{}]}",
        "{podSelector: {}, ingress: []}",
    ],
)
def test_rules_in_force_and_directions_without_a_word_are_right(spec):
    assert told(spec, "NPC017") == []


@pytest.mark.parametrize(
    "selector",
    [
        "{matchLabels: {app: relay}, matchExpressions: [{key: app, operator: In, values: [other]}]}",
        "{matchLabels: {app: relay}, matchExpressions: [{key: app, operator: NotIn, values: [relay]}]}",
        "{matchExpressions: [{key: app, operator: Exists}, {key: app, operator: DoesNotExist}]}",
    ],
)
def test_a_selector_that_contradicts_itself_is_found_wherever_it_stands(selector):
    assert told(f"{{podSelector: {selector}}}", "NPC018") == [
        "its podSelector contradicts itself: no pod can match it"
    ]
    assert told(f"{{podSelector: {selector}}}", "NPC001") == []  # said once
    for kind in ("podSelector", "namespaceSelector"):
        spec = f"{{podSelector: {{}}, ingress: [{{}}, {{from: [{{{kind}: {selector}}}]}}]}}"
        assert told(spec, "NPC018") == [f"ingress[1].from[0].{kind} contradicts itself: nothing can match it"]


def test_pods_on_the_host_s_network_are_held_to_no_policy():
    (text,) = told("{podSelector: {matchLabels: {app: relay}}}", "NPC018", node="true")
    assert "(relay), which no CNI holds to policies" in text
    assert told("{podSelector: {matchLabels: {app: relay}}}", "NPC018") == []


def test_a_policy_that_a_wider_one_covers_adds_nothing():
    wide = POLICY.replace("name: relay", "name: wide").replace(
        "SPEC", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"
    )
    narrow = "{podSelector: {matchLabels: {app: relay}}, ingress: [{from: [{podSelector: {}}], ports: [{port: PORT}]}]}"
    both = POD.replace("NODE", "false") + wide + POLICY.replace("SPEC", narrow).replace("PORT", "25")
    assert said("NPC007", both) == ["it says nothing that wide does not say already"]
    elsewhere = both.replace("from: [{podSelector: {}}]", "from: [{ipBlock: {cidr: 192.0.2.0/24}}]")
    assert said("NPC007", elsewhere) == []


@pytest.mark.parametrize(
    ("space", "beside", "found"),
    [
        ("mial", "", ["metadata.namespace is mial, of which nothing is known: did you mean mail?"]),
        ("mail", "", []),
        ("mial", written("Namespace", "mial"), []),  # there, and empty still
        ("stock", "", []),  # of another team's namespaces nothing is known
    ],
)
def test_a_namespace_of_which_nothing_is_known_and_that_is_spelt_like_another_is_found(space, beside, found):
    placed = POLICY.replace("namespace: mail", f"namespace: {space}").replace("SPEC", "{podSelector: {}}")
    assert said("NPC001", POD.replace("NODE", "false"), beside, placed) == found
