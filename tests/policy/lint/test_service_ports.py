"""A rule for a Service's port opens nothing, and lint says which port the pods get."""

import pytest
from linted import said
from written import pod, policy, written

LISTENS = "ports: [{name: api, containerPort: 7070}, {name: sync, containerPort: 9000, protocol: UDP}]"
A = "{name: a, port: 81, targetPort: api, nodePort: 30081}"
S = "{name: s, port: 90, targetPort: 9000, protocol: UDP}"
TILL = written("Service", "mall/till", f"{{type: NodePort, selector: {{app: till}}, ports: [{A}, {S}]}}")
WORKLOADS = pod("mall/till", LISTENS) + pod("hall/kiosk") + TILL
RULE = "{from: [{namespaceSelector: {}}], ports: [PORTS]}"
INGRESS = policy("mall/till", f"{{podSelector: {{matchLabels: {{app: till}}}}, ingress: [{RULE}]}}")
CALL = "{to: [PEER], ports: [{port: 81}]}"
EGRESS = policy("hall/kiosk", f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{CALL}]}}")
MALL = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mall}}}"


def told(rules, workloads=WORKLOADS):
    return said("NPC014", workloads, rules)


@pytest.mark.parametrize(
    ("ports", "named", "mapped"),
    [
        ("{port: 81}", "81/TCP", "7070"),
        ("{port: 30081}", "30081/TCP", "7070"),
        ("{port: 90, protocol: UDP}", "90/UDP", "9000"),
        ("{port: 80, endPort: 89}", "81/TCP", "7070"),
        ("{port: 81}, {port: 9000, protocol: UDP}", "81/TCP", "7070"),
    ],
)
def test_a_service_s_number_is_named_with_the_port_that_pods_get(ports, named, mapped):
    (text,) = told(INGRESS.replace("PORTS", ports))
    assert f"ingress[0] names the port {named}" in text and f"mall/till maps it to {mapped}," in text


@pytest.mark.parametrize(
    "ports",
    [
        "{port: 7070}",
        "{port: api}",
        "{port: 81, endPort: 8000}",
        "{port: 81}, {port: 7070}",  # left over, and nobody is cut off
        "{port: 81}, {protocol: TCP}",
        "{port: 82}",  # no Service maps it: undeclared ports may be listened on
        "{port: 81, protocol: UDP}",
    ],
)
def test_the_pods_port_and_what_covers_it_are_right(ports):
    assert told(INGRESS.replace("PORTS", ports)) == []


def test_the_client_s_rule_is_held_against_its_destinations():
    (text,) = told(EGRESS.replace("PEER", MALL))
    assert "egress[0] names the port 81/TCP" in text
    assert told(EGRESS.replace("PEER", "{ipBlock: {cidr: 203.0.113.9/32}}")) == []
    assert told(EGRESS.replace("PEER", "{podSelector: {}}")) == []  # the till is in another namespace


def test_a_headless_service_translates_nothing():
    headless = WORKLOADS.replace("type: NodePort", "clusterIP: None")
    assert told(INGRESS.replace("PORTS", "{port: 81}"), headless) == []


def test_a_port_that_another_service_maps_to_itself_is_listened_on():
    second = written("Service", "mall/old", "{selector: {app: till}, ports: [{port: 81}]}")
    assert told(INGRESS.replace("PORTS", "{port: 81}"), WORKLOADS + second) == []


def test_a_malformed_service_hides_no_other_one():
    broken = written("Service", "mall/odd", "{ports: [{port: x}]}")
    assert len(told(INGRESS.replace("PORTS", "{port: 81}"), broken + WORKLOADS)) == 1
