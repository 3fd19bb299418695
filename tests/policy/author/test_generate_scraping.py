"""Whoever reads metrics is opened where it stands, on both sides; where it is not here, that is told."""

import pytest
import yaml
from made import made, workload
from written import written

from orchestrator.errors import BadInput
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.would_cut import would_cut
from orchestrator.policy.workloads.fleet import fleet

OPERATED = written("Prometheus", "lookout/main", "{replicas: 2}")


def scraped(name="hen", space="coop", port=9102):
    obj = yaml.safe_load(workload(name, space=space, ports=[port]).removeprefix("---"))
    notes = {"prometheus.io/scrape": "true", "prometheus.io/port": str(port)}
    obj["spec"]["template"]["metadata"]["annotations"] = notes
    return f"---\n{yaml.safe_dump(obj)}"


def reader(image, name="watcher", space="lookout", **more):
    return workload(name, space=space, containers=[{"name": "c", "image": image, **more}])


@pytest.mark.parametrize(
    "image",
    [
        "prom/prometheus",
        "quay.io/prometheus/prometheus:v3.1.0@sha256:12ab",
        "registry.example.net:5000/mirror/prometheus:2",
        "rancher/mirrored-prometheus-prometheus:v2",
        "victoriametrics/vmagent",
        "grafana/agent:v0.40",
        "grafana/alloy",
        "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:1",
    ],
)
def test_what_reads_metrics_is_known_by_its_image_and_opened_on_both_sides(image):
    found = made(scraped() + reader(image))
    assert found.open("lookout/watcher", "coop/hen", 9102)
    assert not found.open("lookout/watcher", "coop/hen", 80)
    assert "lookout/watcher.yaml" in found.files and "metrics" not in found.told
    assert "NPC002" not in "".join(found.files.values())


def test_an_image_of_another_name_is_known_by_its_arguments():
    started = reader(
        "registry.example.net/scribe", args=["--config.file=/p.yml", "--storage.tsdb.path=/data"]
    )
    assert made(scraped() + started).open("lookout/watcher", "coop/hen", 9102)


@pytest.mark.parametrize(
    "image", ["prom/node-exporter", "prom/alertmanager", "quay.io/prometheus-operator/prometheus-operator"]
)
def test_what_stands_beside_prometheus_does_not_read_metrics(image):
    found = made(scraped() + reader(image))
    assert not found.open("lookout/watcher", "coop/hen", 9102)
    assert "the metrics of coop/hen[Deployment] are asked for: Prometheus is not here" in found.told


def test_the_parts_of_a_chart_bear_its_name_and_read_nothing():
    labels = {"app": "prometheus", "component": "pushgateway"}
    found = made(scraped() + workload("push", space="lookout", labels=labels) + reader("prom/prometheus"))
    assert found.open("lookout/watcher", "coop/hen", 9102)
    assert not found.open("lookout/push", "coop/hen", 9102)


def test_a_collector_counts_where_there_is_no_prometheus():
    both = reader("prom/prometheus") + reader("grafana/alloy", name="logs")
    found = made(scraped() + both)
    assert found.open("lookout/watcher", "coop/hen", 9102)
    assert not found.open("lookout/logs", "coop/hen", 9102)


def test_many_scraped_workloads_are_told_in_one_line():
    found = made("".join(scraped(f"hen{n}") for n in range(9)))
    (line,) = [t for t in found.told.splitlines() if "metrics" in t]
    assert "and 5 more" in line and "--monitoring-namespace" in line


def test_the_pods_of_an_operator_are_told_and_so_is_what_default_deny_does_to_them():
    found = made(scraped() + OPERATED)
    assert "kubernetes.io/metadata.name: lookout" in found.files["coop/hen.yaml"]
    assert "an operator runs for Prometheus in lookout are not here" in found.told
    assert "egress" in made(scraped() + OPERATED + workload("grafana", space="lookout")).told


def test_a_namespace_by_hand_is_taken_and_one_that_seems_mistyped_is_refused():
    two = reader("prom/prometheus") + reader("prom/prometheus", space="attic")
    found = made(scraped() + two, Platform(monitoring="attic"))
    assert found.open("attic/watcher", "coop/hen", 9102)
    assert not found.open("lookout/watcher", "coop/hen", 9102)
    with pytest.raises(BadInput, match="did you mean lookout") as error:
        made(scraped() + two, Platform(monitoring="lokout"))
    assert "--monitoring-namespace" in str(error.value)
    assert "--ingress-namespace far" in made(scraped(), Platform(ingress="far")).told


def test_check_names_the_scrape_that_policies_cut():
    text = scraped() + reader("prom/prometheus")
    documents = parse(text.encode(), "app.yaml")
    deny = parse(
        b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: shut, namespace: coop}\n"
        b"spec: {podSelector: {}, policyTypes: [Ingress]}\n",
        "shut.yaml",
    )
    needed, _ = needs(documents, fleet(documents), Platform())
    (cut,) = would_cut(fleet([*documents, *deny]), needed, Platform())
    assert (cut.src, cut.dst) == ("lookout/watcher[Deployment]", "coop/hen[Deployment]")
    assert "prometheus.io/scrape" in cut.origin
