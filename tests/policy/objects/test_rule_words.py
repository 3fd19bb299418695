"""A NetworkPolicy in words: each part of the API that says who may connect."""

import pytest

from orchestrator.policy.objects.rule_words import MOST_PEERS, rule_words


def words(**spec):
    return [
        (str(r.direction), r.pods, r.peers, r.ports)
        for r in rule_words({"spec": {"podSelector": {}, **spec}})
    ]


def peer(given):
    [(_, _, (found,), _)] = words(ingress=[{"from": [given]}])
    return found


def test_without_rules_nobody_is_let_in():
    assert words() == [("Ingress", "every pod", ("nobody",), "")]


def test_a_rule_without_ends_and_ports_is_for_anybody_on_every_port():
    assert words(ingress=[{}]) == [("Ingress", "every pod", ("anybody",), "every port")]


def test_a_direction_that_the_policy_does_not_isolate_for_says_nothing():
    assert words(policyTypes=["Egress"], ingress=[{}]) == [("Egress", "every pod", ("nobody",), "")]
    assert [side for side, *_ in words(egress=[{}])] == ["Ingress", "Egress"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"podSelector": {}}, "every pod of this namespace"),
        (
            {"podSelector": {"matchLabels": {"app": "a", "tier": "b"}}},
            "pods with app=a, tier=b of this namespace",
        ),
        ({"namespaceSelector": {}}, "every pod of every namespace"),
        (
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "web"}}, "podSelector": {}},
            "every pod of the namespace web",
        ),
        (
            {
                "namespaceSelector": {"matchLabels": {"team": "shop"}},
                "podSelector": {"matchLabels": {"app": "a"}},
            },
            "pods with app=a of namespaces with team=shop",
        ),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, "10.0.0.0/8"),
        (
            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}},
            "10.0.0.0/8 without 10.1.0.0/16, 10.2.0.0/16",
        ),
    ],
)
def test_an_end_is_named(given, said):
    assert peer(given) == said


@pytest.mark.parametrize(
    ("operator", "values", "said"),
    [
        ("In", ["b", "a"], "app=a or b"),
        ("NotIn", ["a"], "app not a"),
        ("Exists", None, "app"),
        ("DoesNotExist", None, "no app"),
    ],
)
def test_an_expression_is_named(operator, values, said):
    entry = {"key": "app", "operator": operator, **({"values": values} if values else {})}
    assert peer({"podSelector": {"matchExpressions": [entry]}}) == f"pods with {said} of this namespace"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port": 80}, "80/TCP"),
        ({"port": "web", "protocol": "TCP"}, "web/TCP"),
        ({"port": 53, "protocol": "UDP"}, "53/UDP"),
        ({"port": 8000, "endPort": 8080}, "8000-8080/TCP"),
        ({"protocol": "SCTP"}, "every SCTP port"),
    ],
)
def test_a_port_is_named(given, said):
    assert words(ingress=[{"ports": [given, {"port": 1}]}])[0][3] == f"{said}, 1/TCP"


def test_of_many_ends_the_first_are_named():
    found = words(ingress=[{"from": [{"ipBlock": {"cidr": f"10.{n}.0.0/16"}} for n in range(200)]}])[0][2]
    assert len(found) == MOST_PEERS + 1 and found[-1] == f"and {200 - MOST_PEERS} more"
