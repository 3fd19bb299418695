"""A rule for a Service's port opens nothing, and lint says which port the pods get."""

import pytest

from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

WORKLOADS = """apiVersion: v1
kind: Pod
metadata: {name: till, namespace: mall, labels: {app: till}}
spec: {containers: [{name: c, image: till, ports: [{name: api, containerPort: 7070}, {name: sync, containerPort: 9000, protocol: UDP}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: kiosk, namespace: hall, labels: {app: kiosk}}
spec: {containers: [{name: c, image: kiosk}]}
---
apiVersion: v1
kind: Service
metadata: {name: till, namespace: mall}
spec: {type: NodePort, selector: {app: till}, ports: [{name: a, port: 81, targetPort: api, nodePort: 30081}, {name: s, port: 90, targetPort: 9000, protocol: UDP}]}
---
"""
INGRESS = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: till, namespace: mall}
spec:
  podSelector: {matchLabels: {app: till}}
  ingress: [{from: [{namespaceSelector: {}}], ports: [PORTS]}]
"""
EGRESS = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: kiosk, namespace: hall}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [PEER], ports: [{port: 81}]}]
"""
MALL = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mall}}}"


def said(policy, workloads=WORKLOADS):
    found = lint(fleet(parse((workloads + policy).encode(), "all.yaml")))
    return [f.message for f in found if f.rule.id == "NPC014"]


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
    (text,) = said(INGRESS.replace("PORTS", ports))
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
    assert said(INGRESS.replace("PORTS", ports)) == []


def test_the_client_s_rule_is_held_against_its_destinations():
    (text,) = said(EGRESS.replace("PEER", MALL))
    assert "egress[0] names the port 81/TCP" in text
    assert said(EGRESS.replace("PEER", "{ipBlock: {cidr: 203.0.113.9/32}}")) == []
    assert said(EGRESS.replace("PEER", "{podSelector: {}}")) == []  # the till is in another namespace


def test_a_headless_service_translates_nothing():
    headless = WORKLOADS.replace("type: NodePort", "clusterIP: None")
    assert said(INGRESS.replace("PORTS", "{port: 81}"), headless) == []


def test_a_port_that_another_service_maps_to_itself_is_listened_on():
    second = "apiVersion: v1\nkind: Service\nmetadata: {name: old, namespace: mall}\nspec: {selector: {app: till}, ports: [{port: 81}]}\n---\n"
    assert said(INGRESS.replace("PORTS", "{port: 81}"), WORKLOADS + second) == []


def test_a_malformed_service_hides_no_other_one():
    broken = "apiVersion: v1\nkind: Service\nmetadata: {name: odd, namespace: mall}\nspec: {ports: [{port: x}]}\n---\n"
    assert len(said(INGRESS.replace("PORTS", "{port: 81}"), broken + WORKLOADS)) == 1
