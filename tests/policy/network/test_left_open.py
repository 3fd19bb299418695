"""What a change of rules opens that depends on DNS, groups, nodes or authentication is named, and counts as risky."""

import pytest
from written import deployed, written

from orchestrator.policy.evaluate.cni_profiles import SAID
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.impact import Impact
from orchestrator.policy.impact.risk import RiskRules, risk
from orchestrator.policy.impact.weighing import items, weighed
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.left_open import left_open, told
from orchestrator.policy.workloads.fleet import fleet

PODS = deployed("prod/a") + deployed("prod/b")
NAMES = "toFQDNs: [{matchPattern: '*'}], toPorts: [{ports: [{port: '443', protocol: TCP}]}]"


def cilium(*rules, part="egress", name="a", subject="{matchLabels: {app: a}}"):
    spec = f"{{endpointSelector: {subject}, {part}: [{', '.join(f'{{{r}}}' for r in rules)}]}}"
    return written("CiliumNetworkPolicy", f"prod/{name}", spec, version="cilium.io/v2")


def state(*texts):
    return fleet(parse("".join([PODS, *texts]).encode(), "p.yaml"))


@pytest.mark.parametrize(
    ("part", "rule", "field"),
    [
        ("egress", NAMES, "toFQDNs"),
        ("egress", "toGroups: [{aws: {securityGroupsIds: [sg-1]}}]", "toGroups"),
        ("ingress", "fromGroups: [{aws: {securityGroupsIds: [sg-1]}}]", "fromGroups"),
        ("ingressDeny", "fromGroups: [{aws: {securityGroupsIds: [sg-1]}}]", "fromGroups"),
        ("ingress", "fromEntities: [kube-apiserver]", "fromEntities"),
        ("ingress", "fromEntities: [host, health]", "fromEntities"),
        ("egressDeny", "toEntities: [remote-node]", "toEntities"),
        ("egress", "toEndpoints: [{}], authentication: {mode: required}", "authentication"),
        ("egress", "toServices: [{k8sService: {serviceName: gone, namespace: prod}}]", "toServices"),
    ],
)
def test_a_rule_that_asks_for_what_nobody_knows_is_named_with_its_place(part, rule, field):
    (one,) = left_open(state(), state(cilium(rule, part=part)))
    assert one.name == f"CiliumNetworkPolicy prod/a {part}[0].{field}"
    assert one.text.startswith(f"what {one.name} (p.yaml:") and " means depends on wh" in one.text
    (gone,) = left_open(state(cilium(rule, part=part)), state())
    assert " meant depends on wh" in gone.text


def test_other_rules_beside_it_and_its_place_among_them_are_no_change_of_it():
    old = state(cilium("toEndpoints: [{}]", NAMES))
    assert left_open(old, state(cilium(NAMES, "toEndpoints: [{}]", "toCIDR: [10.0.0.0/8]"))) == []
    assert left_open(state(), state(cilium("toEndpoints: [{}], authentication: {mode: disabled}"))) == []


def test_another_subject_or_other_names_are_a_change_of_it():
    old = state(cilium(NAMES))
    for new in (cilium(NAMES, subject="{}"), cilium(NAMES.replace("*", "*.example.com"))):
        assert [one.stands for one in left_open(old, state(new))] == [True, False]


def test_a_rule_on_nodes_is_named_for_no_connection_of_theirs_is_listed():
    node = written(
        "Node",
        "n",
        about="labels: {pool: control}",
        status="{addresses: [{type: InternalIP, address: 10.9.0.7}]}",
    )

    def admin(action):
        rule = f"{{action: {action}, to: [{{nodes: {{}}}}]}}"
        return written(
            "AdminNetworkPolicy", "nodes", f"{{priority: 1, subject: {{namespaces: {{}}}}, egress: [{rule}]}}"
        )

    old, new = (state(node, admin(action)) for action in ("Allow", "Deny"))
    assert changes(old, new) == []
    assert [(one.name, one.stands) for one in left_open(old, new)] == [
        ("AdminNetworkPolicy/nodes egress[0].to[0].nodes", stands) for stands in (True, False)
    ]
    assert "connections with nodes are not listed" in left_open(old, new)[0].text
    assert [one.depends for one in left_open(state(admin("Allow")), state(admin("Deny")))] == [
        SAID["nodes_match"]
    ] * 2


def test_rules_of_calico_and_of_the_cluster_s_own_policies_are_among_them():
    calico = written(
        "NetworkPolicy",
        "prod/c",
        "{selector: all(), types: [Egress], egress: [{action: Allow, destination: {services: {name: b}}}]}",
        version="projectcalico.org/v3",
    )
    names = "{name: x, action: Accept, to: [{domainNames: [example.com]}]}"
    of_cluster = written(
        "ClusterNetworkPolicy",
        "names",
        f"{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: [{names}]}}",
    )
    found = left_open(state(), state(calico, of_cluster))
    assert [one.name for one in found] == [
        "Calico NetworkPolicy prod/c egress[0]",
        "ClusterNetworkPolicy/names egress[0].to[0].domainNames",
    ]


def test_the_risk_is_that_of_opened_and_no_list_grows_without_end():
    found = left_open(state(), state(cilium(NAMES), *(cilium(NAMES, name=f"n{n}") for n in range(30))))
    assert len(found) == 31 and len(told(found)) == 21 and "11 more" in told(found)[-1]
    level = risk([], Impact(), RiskRules(opened="high", many=5), len(found))
    assert (level.level, level.kinds) == ("high", ("opened",))
    assert level.reasons == ("31 changed rules may open or cut connections",)
    weights = items([], Impact(), RiskRules(many=5), found)
    assert weighed(weights, RiskRules(many=5)).level == "medium"
    assert weighed(weights, RiskRules(many=5)).reasons == level.reasons
