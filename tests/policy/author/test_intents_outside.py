"""A failing intent about addresses outside says "internet", or their block, as people would; never an address that only stands for them."""

import pytest

from orchestrator.policy.author import intents
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.workloads.fleet import fleet

POD = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: farm, labels: {app: %s}}\nspec: {containers: [{name: c, ports: [{containerPort: 81}]}]}\n"
POLICY = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s, namespace: farm}\nspec: %s\n"
TEST = "---\napiVersion: netpol-canary.dev/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec: %s\n"
ONLY = "{only: [{name: o, to: {workload: mill}, onlyFrom: [{workload: barn}]}]}"
NOWHERE = "{internet: [{name: n, onlyTo: [{workload: barn}]}]}"
REACH = "{intents: [{name: r, expect: %s, from: {%s}, to: {%s}, ports: [{port: 81}]}]}"
# Private blocks tell the addresses outside apart, and are no part of the internet.
APART = POLICY % (
    "apart",
    "{podSelector: {matchLabels: {app: barn}}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}, {ipBlock: {cidr: 172.16.0.0/12}}]}]}",
)


def said(test, *policies):
    text = "".join(POD % (name, name) for name in ("mill", "barn")) + "".join(policies) + TEST % test
    documents = parse(text.encode(), "all.yaml")
    (result,) = intents.run(fleet(documents), intents.tests_of(documents), {})
    return [p.partition(" (")[0] for p in result.problems]


def mill(rule):
    return POLICY % (
        "mill",
        f"{{podSelector: {{matchLabels: {{app: mill}}}}, policyTypes: [Ingress], ingress: [{rule}]}}",
    )


@pytest.mark.parametrize("test", [ONLY, NOWHERE, REACH % ("blocked", "internet: true", "workload: mill")])
def test_the_internet_is_said_once_by_its_name(test):
    (found,) = said(
        test,
        mill("{ports: [{port: 81}], from: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0'}}]}"),
        APART,
    )
    assert found == "internet to farm/mill on 81/TCP is allowed"


def test_a_block_of_it_is_named_and_a_single_address_is_one():
    rule = "{ports: [{port: 81}], from: [{ipBlock: {cidr: %s}}]}"
    assert said(ONLY, mill(rule % "203.0.113.0/24")) == ["203.0.113.0/24 to farm/mill on 81/TCP is allowed"]
    assert said(ONLY, mill(rule % "203.0.113.7/32")) == ["203.0.113.7 to farm/mill on 81/TCP is allowed"]


def test_towards_it_too_and_what_is_open_by_another_rule_is_another_line():
    out = POLICY % ("out", "{podSelector: {matchLabels: {app: mill}}, policyTypes: [Egress]}")
    assert said(REACH % ("reach", "workload: mill", "internet: true"), out) == [
        "farm/mill to internet on 81/TCP is blocked"
    ]
    two = mill("{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}, {from: [{ipBlock: {cidr: 198.51.100.0/24}}]}")
    assert [f.split()[0] for f in said(ONLY, two)] == ["198.51.100.0/24", "203.0.113.0/24"]


def test_an_address_that_the_test_gives_stays_what_it_is():
    test = REACH % ("blocked", "address: 192.0.2.1", "workload: mill")
    assert said(test, mill("{}")) == ["192.0.2.1 to farm/mill on 81/TCP is allowed"]
