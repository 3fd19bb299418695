"""Pods share the answers about addresses outside only where policies say the same of them: whatever the policies, each has its own."""

import pytest
from written import plain

from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network import beyond
from orchestrator.policy.network.beyond import between
from orchestrator.policy.network.ranges import ranges
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.fleet import fleet

OFFICE = "192.0.2.0/24"
PORTS = {"a": 8080, "b": 9090}
HTTPS = [{"port": 443}]
KUBERNETES = [
    {"policyTypes": ["Ingress", "Egress"]},
    {"policyTypes": ["Egress"]},
    {"ingress": [{}]},
    {"ingress": [{"ports": [{"port": "http"}]}]},
    {"ingress": [{"ports": HTTPS}], "egress": [{"ports": HTTPS}]},
    {"ingress": [{"from": [{"podSelector": {}}], "ports": HTTPS}]},
    {"ingress": [{"from": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": OFFICE}}]}]},
    {"egress": [{"to": [{"ipBlock": {"cidr": OFFICE}}], "ports": HTTPS}], "policyTypes": ["Egress"]},
]
TO_443 = [{"ports": [{"port": "443", "protocol": "TCP"}]}]
CILIUM = [
    {"ingress": [{}]},
    {"ingress": [{"fromEntities": ["world"]}]},
    {"ingress": [{"fromEntities": ["cluster"]}]},
    {"ingress": [{"fromEndpoints": [{}]}]},
    {"ingress": [{"fromEndpoints": [{"matchLabels": {"reserved:world": ""}}]}]},
    {"ingress": [{"toPorts": TO_443}]},
    {"ingress": [{"fromEndpoints": [{"matchLabels": {"app": "a"}}], "toPorts": TO_443}], "egress": [{}]},
    {"egress": [{"toCIDR": [OFFICE]}], "egressDeny": [{"toEntities": ["world"], "toPorts": TO_443}]},
    {"egress": [{"toFQDNs": [{"matchName": "example.com"}]}]},
    {"egress": [{"toServices": [{"k8sService": {"serviceName": "none"}}]}]},
    {"ingress": [{"fromEntities": ["all"]}], "enableDefaultDeny": {"ingress": False}},
]
CALICO = [
    {"types": ["Ingress", "Egress"]},
    {"ingress": [{"action": "Allow"}]},
    {"ingress": [{"action": "Allow", "source": {"selector": "all()"}}]},
    {"ingress": [{"action": "Deny", "source": {"nets": [OFFICE]}}, {"action": "Allow"}]},
    {"ingress": [{"action": "Allow", "source": {"notNets": [OFFICE]}}]},
    {"ingress": [{"action": "Allow", "source": {"notSelector": "has(app)"}}]},
    {"ingress": [{"action": "Allow", "destination": {"selector": "app == 'a'"}}]},
    {"ingress": [{"action": "Allow", "protocol": "TCP", "destination": {"ports": ["http", 443]}}]},
    {"egress": [{"action": "Pass"}], "types": ["Egress"]},
    {"egress": [{"action": "Allow", "protocol": "TCP", "destination": {"ports": [443]}}]},
    {"egress": [{"action": "Log"}, {"action": "Allow", "ipVersion": 6}], "ingress": [{"action": "Allow"}]},
    {"order": 5, "egress": [{"action": "Deny", "destination": {"namespaceSelector": "all()"}}]},
]
APIS = {
    "generic": ("networking.k8s.io/v1", "NetworkPolicy", [{"podSelector": {}, **s} for s in KUBERNETES]),
    "cilium": ("cilium.io/v2", "CiliumNetworkPolicy", [{"endpointSelector": {}, **s} for s in CILIUM]),
    "calico": ("projectcalico.org/v3", "NetworkPolicy", CALICO),
}
CASES = [(cni, beside) for cni, (_, _, specs) in APIS.items() for beside in [{}, *specs]]


def objects(cni, beside):
    """For each policy, alone or beside another one, two namespaces, each with two pods; and two without any."""
    version, kind, specs = APIS[cni]
    for number, spec in enumerate(spec for spec in [{}, *specs] for _ in range(2)):
        for name, port in PORTS.items():
            container = {"name": "c", "ports": [{"name": "http", "containerPort": port}]}
            yield plain("Pod", f"space-{number}/{name}", {"containers": [container]}, {"app": name})
        for at, body in enumerate(filter(None, (spec, spec and beside))):
            yield plain(kind, f"space-{number}/p{at}", body, version=version)


@pytest.mark.parametrize(("cni", "beside"), CASES)
def test_whatever_its_policies_a_pod_has_the_answers_of_its_own(cni, beside, monkeypatch):
    given = (Document(obj, "all.yaml", at) for at, obj in enumerate(objects(cni, beside), 1))
    found = fleet(given).under(cni)
    net, spans, asked = found.network(profile(cni)), ranges(found), []
    monkeypatch.setattr(beyond, "between", lambda *ends: asked.append(ends) or between(*ends))
    outside, compared = beyond.Beyond(found, net, spans), 0
    for side in Direction:
        for workload, runs in outside.answers(side, found.workloads).values():
            for at, end, mask in outside.stretches(runs):
                for span in spans[at:end]:
                    ends = side.ends(workload.pod, str(span.first))
                    assert between(net, *ends) == mask, (workload.name, side, span)
                    compared += 1
    assert len(asked) < compared  # some share them
