"""Policies made from service definitions: clean, with every expected connection open and every other closed."""

import io
from pathlib import Path

import pytest

from orchestrator.adapters.git.directory import Directory
from orchestrator.policy.author.generator import from_flows, generate
from orchestrator.policy.definitions.services import Platform, edges
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.network.connections import reach
from orchestrator.policy.network.ranges import Range
from orchestrator.policy.network.recordings import read
from orchestrator.policy.objects import port_sets
from orchestrator.policy.workloads.fleet import fleet

APPS = Path(__file__).parents[2] / "apps"
SHARED = Path(__file__).parents[4] / "shared/conformance/manifests"
MINIMAL = SHARED / "connlist-netpol-analysis-example-minimal/input"

SHOP = {
    ("internet", "ingress-nginx/controller", "TCP 80"),
    ("ingress-nginx/controller", "shop/web", "TCP 8080"),
    ("monitoring/prometheus", "shop/web", "TCP 9100"),
    ("shop/web", "shop/cart", "TCP 8000"),
    ("shop/web", "payments/payments", "TCP 9443"),
    ("shop/cart", "shop/redis", "TCP 6379"),
    ("payments/payments", "payments/db", "TCP 5432"),
    ("payments/payments", "internet", "TCP 443"),
}
BOUTIQUE = {
    ("internet", "boutique/front", "TCP 8080"),
    ("boutique/front", "boutique/product", "TCP 3550"),
    ("boutique/front", "boutique/checkout", "TCP 5050"),
    ("boutique/checkout", "boutique/product", "TCP 3550"),
    ("boutique/import", "boutique/product", "TCP 3550"),
    ("boutique/import", "internet", "TCP 8081"),
}
BANK = {("bank/teller", "vault/ledger", "TCP 7000"), ("vault/auditor", "vault/ledger", "TCP 7000")}
FRONT = {("internet", "default/frontend", "TCP 8080"), ("default/frontend", "default/backend", "TCP 9090")}


def documents(folder, skip=()):
    files = Directory(folder).files("")
    found = [d for n, text in files.items() for d in parse(text, n)]
    return [d for d in found if d.obj["kind"] not in skip]


def generated(found, flows=()):
    alone = fleet(found)
    needed = [*edges(found, alone, Platform()), *from_flows(alone, list(flows))]
    made = generate(alone, needed)
    return made, [d for f in made for d in parse(f.text.encode(), f.path)]


def seen(whole):
    """What `reach` says, DNS left aside; the outside is one place."""

    def name(place):
        return "internet" if isinstance(place, Range) else f"{place.pod.namespace}/{place.pod.name}"

    resolver = "kube-system/"
    return {
        (name(c.src), name(c.dst), port_sets.text(c.ports))
        for c in reach(whole)
        if not name(c.src).startswith(resolver) and not name(c.dst).startswith(resolver)
    }


@pytest.mark.parametrize(
    ("folder", "expected"),
    [(APPS / "shop", SHOP), (APPS / "boutique", BOUTIQUE), (APPS / "bank", BANK), (MINIMAL, FRONT)],
    ids=["shop", "boutique", "bank", "example-minimal"],
)
def test_every_expected_edge_is_open_and_every_other_closed(folder, expected):
    if not folder.is_dir():
        pytest.skip(f"{folder} is not part of this clone")
    found = documents(folder, skip=("NetworkPolicy",))
    made, policies = generated(found)
    whole = fleet([*found, *policies])
    assert seen(whole) == expected
    assert [f for f in lint(whole) if not f.ignored and not f.subject.startswith("kube-system/")] == []
    assert all(f.text.startswith("# ") for f in made)


def test_dns_goes_to_the_resolver_that_is_there_over_udp_and_tcp():
    found = documents(APPS / "shop")
    made, policies = generated(found)
    whole = fleet([*found, *policies])
    to_resolver = {c.src.name: port_sets.text(c.ports) for c in reach(whole) if "coredns" in c.dst.name}
    assert to_resolver["shop/web[Deployment]"] == "TCP 53,5353,UDP 53,5353"
    (web,) = [f.text for f in made if f.path == "shop/web.yaml"]
    assert "# cart.shop:80, env CART_URL in shop.yaml:22" in web
    assert "# payments.payments:8443, ConfigMap web in shop.yaml:31" in web
    assert "# Ingress web in shop.yaml:" in web and "# ServiceMonitor web in shop.yaml:" in web
    assert "secret" not in "".join(f.text for f in made)


def test_recorded_flows_add_exceptions():
    found = documents(APPS / "bank")
    lines = io.StringIO('{"src": "vault/auditor", "dst": "vault/ledger", "port": 7001, "count": 3}\n')
    made, policies = generated(found, read(lines, "x"))
    assert ("vault/auditor", "vault/ledger", "TCP 7000-7001") in seen(fleet([*found, *policies]))
    assert "# recorded 3 times" in "".join(f.text for f in made)


QUEUE = b"""apiVersion: apps/v1
kind: StatefulSet
metadata: {name: kafka, namespace: x}
spec:
  selector: {matchLabels: {app: kafka}}
  template:
    metadata: {labels: {app: kafka}}
    spec:
      containers:
      - name: c
        ports: [{name: client, containerPort: 9092}, {name: peer, containerPort: 9093}]
        env: [{name: PEERS, value: "kafka-0.kafka:9093,kafka-1.kafka:9093"}]
---
apiVersion: v1
kind: Service
metadata: {name: kafka, namespace: x}
spec: {clusterIP: None, selector: {app: kafka}, ports: [{name: client, port: 9092}, {name: peer, port: 9093}]}
---
apiVersion: v1
kind: Service
metadata: {name: ext, namespace: x}
spec: {type: ExternalName, externalName: api.example.com}
---
apiVersion: v1
kind: Pod
metadata: {name: app, namespace: x, labels: {app: app}}
spec:
  containers:
  - name: c
    env:
    - {name: A, value: "%s"}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kafka-0.kafka:9092,kafka-1.kafka.x.svc.cluster.local:9092", {("x/app", "x/kafka", "TCP 9092")}),
        ("kafka.x.svc", {("x/app", "x/kafka", "TCP 9092-9093")}),
        ("http://user:p@ss@kafka:9093/x", {("x/app", "x/kafka", "TCP 9093")}),
        ("http://[2001:db8::1]:8080/", {("x/app", "internet", "TCP 8080")}),
        ("https://ext/api", {("x/app", "internet", "TCP 443")}),
        ("tcp://kafka:9999", {("x/app", "x/kafka", "TCP 9999")}),  # headless: no port is translated
        ("http://$(KAFKA_HOST):9092/", set()),
        ("kafka", set()),
        ("docker.io/library/kafka:9092", set()),
        ("kafka.x.svc.example.com:9092", set()),
    ],
)
def test_addresses_are_found_as_people_write_them(text, expected):
    found = parse(QUEUE.replace(b"%s", text.encode()), "x.yaml")
    made, policies = generated(found)
    assert seen(fleet([*found, *policies])) == expected
    (own,) = [f.text for f in made if f.path == "x/kafka.yaml"]
    assert own.count("app: kafka") == 3, "its replicas reach each other"
