"""DNS of generated policies where the resolver stands on the host's network."""

import pytest
import yaml
from made import made, service, workload
from written import pods, written

WEB = workload("web")
CACHE = written(
    "DaemonSet",
    "kube-system/%s",
    pods(
        "{k8s-app: %s}",
        "{hostNetwork: true, containers: [{name: c, %s}], volumes: [{name: v, configMap: {name: cache-config}}]}",
    ),
)
COREFILE = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: cache-config, namespace: kube-system}
data: {Corefile: "cluster.local:53 {\\n    bind 169.254.25.10 fd00:ec2::10\\n}\\n"}
"""


def blocks(found):
    rules = yaml.safe_load(found.files["shop/allow-dns.yaml"])["spec"]["egress"]
    return {p["ipBlock"]["cidr"] for r in rules for p in r["to"] if "ipBlock" in p}


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        (
            "node-local-dns",
            'args: ["-localip", "169.254.20.10,10.96.0.10"]',
            {"169.254.20.10/32", "10.96.0.10/32"},
        ),
        ("nodelocaldns", "args: [-localip=169.254.25.10]", {"169.254.25.10/32"}),
        (
            "node-local-dns",
            'command: [sh, -c, "exec node-cache --localip 169.254.20.11 -conf x"]',
            {"169.254.20.11/32"},
        ),
        ("node-local-dns", "args: [-conf, /etc/Corefile]", {"169.254.25.10/32", "fd00:ec2::10/128"}),
    ],
)
def test_the_cache_is_opened_at_the_addresses_that_it_answers_at(name, container, expected):
    found = made(WEB + CACHE % (name, name, name, container) + COREFILE)
    assert blocks(found) == expected
    assert "podSelector: {}" in found.files["shop/allow-dns.yaml"]
    assert f"k8s-app: {name}" not in found.files["shop/allow-dns.yaml"]
    for address in expected:
        for cni in ("calico", "cilium"):
            assert found.open("shop/web", address.split("/")[0], 53, "UDP", cni)


def test_addresses_that_nothing_says_are_assumed_and_told():
    clean = 'args: ["-localip", "__PILLAR__LOCAL__DNS__,__PILLAR__DNS__SERVER__"]'
    dns = service("kube-dns", 53, space="kube-system", clusterIP="10.43.0.10")
    found = made(WEB + CACHE % (("node-local-dns",) * 3 + (clean,)) + dns)
    assert blocks(found) == {"169.254.20.10/32", "10.43.0.10/32"}
    assert "node-local-dns[DaemonSet] answers DNS on the host's network" in found.told


def test_another_resolver_on_the_host_s_network_is_told_where_no_address_is_known():
    text = WEB + CACHE % ("dnsmasq", "d", "d", "ports: [{name: dns, containerPort: 53, protocol: UDP}]")
    found = made(text)
    assert blocks(found) == set()
    assert "dnsmasq[DaemonSet] answers DNS on the host's network" in found.told
    assert "does not open it" in found.told
    rules = yaml.safe_load(found.files["shop/allow-dns.yaml"])["spec"]["egress"]
    assert all(r.get("to") for r in rules), "no rule for nobody, which would be one for all"


def test_the_nameservers_of_a_pod_s_own_dns_config_are_opened():
    found = made(workload("web", dnsPolicy="None", dnsConfig={"nameservers": ["169.254.20.10", "127.0.0.1"]}))
    assert blocks(found) == {"169.254.20.10/32"}
