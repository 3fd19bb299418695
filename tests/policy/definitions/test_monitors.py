"""Monitors of Prometheus' operator and of VictoriaMetrics': what they read is opened, and what is not followed is named."""

import json

import pytest
from made import made, service, workload

from orchestrator.policy.files.unread import meaning

HEN = workload("hen", space="coop", ports=[9102]) + service("hen", 80, space="coop", target=9102)
OTHER = workload("fox", space="wood", ports=[9102]) + service("fox", 80, space="wood", target=9102)
READER = workload("prometheus", space="lookout")


def monitor(kind, space="coop", **spec):
    group = (
        "operator.victoriametrics.com/v1beta1" if kind.startswith("VM") else "monitoring.coreos.com/v1alpha1"
    )
    meta = {"name": "eggs", "namespace": space}
    return f"---\n{json.dumps({'apiVersion': group, 'kind': kind, 'metadata': meta, 'spec': spec})}\n"


def opened(*more):
    return made(HEN + OTHER + READER + "".join(more))


@pytest.mark.parametrize(
    "more",
    [
        monitor("VMServiceScrape", selector={}, endpoints=[{"targetPort": 9102}]),
        monitor("VMPodScrape", selector={"matchLabels": {"app": "hen"}}, podMetricsEndpoints=[{"portNumber": 9102}]),
        monitor("VMStaticScrape", targetEndpoints=[{"targets": ["hen.coop:80"]}]),
        monitor("ScrapeConfig", staticConfigs=[{"targets": ["hen.coop.svc:80"]}]),
        monitor("ScrapeConfig", staticConfigs=[{"targets": ["hen.coop"]}]),
        monitor("VMScrapeConfig", staticConfigs=[{"targets": ["hen.coop:80"]}]),
        monitor("ScrapeConfig", kubernetesSDConfigs=[{"role": "Pod", "namespaces": {"ownNamespace": True}}]),
        monitor("ScrapeConfig", kubernetesSDConfigs=[{"role": "Endpoints", "namespaces": {"names": ["coop"]}}]),
        monitor("ScrapeConfig", kubernetesSDConfigs=[{"role": "Pod", "selectors": [{"role": "Pod", "label": "app=hen"}]}]),
    ],
)  # fmt: skip
def test_what_a_monitor_reads_is_opened_and_nothing_else(more):
    found = opened(more)
    assert found.open("lookout/prometheus", "coop/hen", 9102), found.told
    assert not found.open("lookout/prometheus", "wood/fox", 9102)
    assert "eggs" not in found.told and "Scrape" not in found.told


def test_a_static_target_without_a_namespace_is_one_of_whoever_reads():
    more = service("prometheus", 9090, space="lookout") + workload("gate", space="lookout", ports=[9091])
    more += service("gate", 9091, space="lookout")
    found = opened(more, monitor("ScrapeConfig", staticConfigs=[{"targets": ["gate:9091"]}]))
    assert found.open("lookout/prometheus", "lookout/gate", 9091)


def test_static_targets_are_opened_to_the_namespace_where_whoever_reads_is_assumed():
    found = made(HEN + monitor("ScrapeConfig", staticConfigs=[{"targets": ["hen.coop:80"]}]))
    assert "kubernetes.io/metadata.name: monitoring" in found.files["coop/hen.yaml"]


def test_a_target_outside_is_opened_for_whoever_reads_and_one_that_is_not_here_named():
    targets = ["192.0.2.9:9100", "node.example.org:9100", "hem.coop:9102"]
    found = opened(monitor("ScrapeConfig", staticConfigs=[{"targets": targets}]))
    assert found.open("lookout/prometheus", "192.0.2.9", 9100)
    assert found.open("lookout/prometheus", "203.0.113.9", 9100)
    assert "calls hem.coop:9102, ScrapeConfig eggs" in found.told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (monitor("ScrapeConfig", httpSDConfigs=[{"url": "http://x"}]), "finds targets by httpSDConfigs"),
        (monitor("ScrapeConfig", kubernetesSDConfigs=[{"role": "Node"}]), "of nodes or Ingresses"),
        (monitor("ScrapeConfig", kubernetesSDConfigs=[{"role": "Pod"}], relabelings=[{"action": "keep"}]), "with relabelings"),
        (monitor("Probe", targets={}), "what its prober asks"),
        (monitor("VMNodeScrape", port="9100"), "the nodes that it reads"),
        (monitor("ServiceMonitor", selector={"matchLabels": {"a": "b"}}, endpoints=[{"port": "web"}]), "selects no port"),
        (monitor("VMPodScrape", selector={}, podMetricsEndpoints=[{"port": "nope"}]), "selects no port of a pod"),
        (monitor("ScrapeConfig", staticConfigs=[7]), "is not of the shape"),
        (monitor("ScrapeConfig", kubernetesSDConfigs=[{"role": "Pod", "selectors": [{"role": "Pod", "label": "(("}]}]), "is not of the shape"),
    ],
)  # fmt: skip
def test_what_is_not_followed_is_named_once_and_opens_nothing(more, said):
    found = opened(more)
    lines = [t for t in found.told.splitlines() if "eggs" in t]
    assert len(lines) == 1 and said in lines[0] and "nothing is opened for" in lines[0]
    assert not found.open("lookout/prometheus", "coop/hen", 9102)


def test_monitors_are_not_called_unread_for_pods_that_they_do_not_have():
    for kind in ("ScrapeConfig", "VMServiceScrape", "VMPodScrape", "Probe"):
        assert meaning({"kind": kind, "apiVersion": "monitoring.coreos.com/v1"}) == ""
