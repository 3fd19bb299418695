"""What is asked once for many holds of each: ends of one name, addresses like no other, rules that share their ports."""

from linted import read
from written import policy

from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import reach

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: x}]}
status: {podIP: 10.2.0.1, hostIP: 10.200.0.1}
---
"""
CILIUM = """apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: shop}
spec: {endpointSelector: {}, egress: [RULES]}
"""
INGRESS = """---
apiVersion: cilium.io/v2
kind: CiliumNode
metadata: {name: n}
spec: {ingress: {ipv4: 10.0.0.5}}
---
apiVersion: v1
kind: Node
metadata: {name: n}
status: {addresses: [{type: InternalIP, address: 10.0.0.7}]}
"""


def cilium(rules, more=""):
    return read(POD + CILIUM.replace("RULES", rules) + more)


def outwards(fleet):
    return [c.dst.name.removesuffix("[External]") for c in reach(fleet) if c.src.name.startswith("shop/web")]


def test_pods_of_two_kinds_of_owners_are_no_pod_to_itself_though_they_share_a_name():
    deployment = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}}
---
"""
    job = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: db, namespace: shop}
spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {metadata: {labels: {job: db}}, spec: {containers: [{name: c}]}}}}}
---
"""
    found = read(deployment + job + policy("shop/deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}"))
    one, other = (w.pod for w in found.workloads)
    assert found.network().decide(one, other, "TCP", 80).allowed is False
    assert found.network().decide(one, one, "TCP", 80).allowed is True
    assert reach(found) == []


def test_an_address_that_the_agent_knows_answers_for_no_other():
    listed = "{toCIDR: [10.0.0.5/32, 10.0.0.9/32]}"
    assert outwards(cilium(listed, INGRESS)) == ["10.0.0.9-10.0.0.9"]
    assert outwards(cilium("{toCIDR: [10.0.0.4/30]}", INGRESS)) == [
        "10.0.0.4-10.0.0.7"
    ]  # begins with none of them


def test_a_node_s_address_answers_for_none_that_follows_or_comes_before():
    for block, open_to in (
        ("10.0.0.6/32, 10.0.0.7/32", ["10.0.0.6-10.0.0.6"]),
        ("10.0.0.7/32, 10.0.0.8/32", ["10.0.0.8-10.0.0.8"]),
    ):
        assert outwards(cilium(f"{{toCIDR: [{block}]}}", INGRESS)) == open_to


def test_exceptions_beyond_a_block_of_a_group_change_nothing():
    group = """---
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: offices}
spec: {externalCIDRs: [10.0.0.0/28, 10.0.1.0/24]}
"""
    rule = "{toCIDRSet: [{cidrGroupRef: offices, except: [10.0.1.32/28, 10.0.1.64/28]}]}"
    assert outwards(cilium(rule, group)) == [
        "10.0.0.0-10.0.0.15",
        "10.0.1.0-10.0.1.31",
        "10.0.1.48-10.0.1.63",
        "10.0.1.80-10.0.1.255",
    ]


def test_each_range_cites_its_own_rule_though_several_say_the_same():
    spec = "{podSelector: {}, policyTypes: [Egress], egress: [EGRESS]}"
    rules = "{to: [{ipBlock: {cidr: 172.16.0.0/12}}], ports: [{port: 443}]}, {to: [{ipBlock: {cidr: 192.168.0.0/16}}], ports: [{port: 443}]}"
    kubernetes = [read(POD + policy("shop/out", spec.replace("EGRESS", egress))) for egress in (rules, "")]
    ports = "toPorts: [{ports: [{port: '443', protocol: TCP}]}]"
    rules = f"{{toCIDR: [172.16.0.0/12], {ports}}}, {{toCIDR: [192.168.0.0/16], {ports}}}"
    for old, new in (kubernetes, [cilium(rules), cilium("{toEndpoints: [{matchLabels: {app: none}}]}")]):
        lost = changes(old, new)
        assert [(str(c.dst.first), c.because[0].split(" (")[0].rpartition(" ")[2]) for c in lost] == [
            ("172.16.0.0", "egress[0]"),
            ("192.168.0.0", "egress[1]"),
        ]
