"""A headless Service resolves to its pods and translates no port."""

import pytest
from made import made, service, workload

NODES = workload("search", kind="StatefulSet", ports=[9200, 9300]) + service(
    "search", 80, target=9200, clusterIP="None"
)


@pytest.mark.parametrize(
    ("address", "port", "answer"),
    [
        ("http://search:9300", 9300, True),
        ("http://search-0.search:9300", 9300, True),
        ("http://search", 9200, False),
    ],
)
def test_the_port_that_an_address_names_is_the_pod_s_own(address, port, answer):
    found = made(NODES + workload("web", env={"A_URL": address}))
    assert found.open("shop/web", "shop/search", port) is answer


def test_the_protocol_is_the_one_that_the_pod_declares():
    text = NODES.replace('{"containerPort": 9300}', '{"containerPort": 9300, "protocol": "UDP"}')
    found = made(text + workload("web", env={"A_URL": "search:9300"}))
    assert found.open("shop/web", "shop/search", 9300, "UDP")
    assert not found.open("shop/web", "shop/search", 9300, "TCP")


def test_a_port_that_another_service_does_not_list_is_told():
    text = (
        workload("db", ports=[5432]) + service("db", 5432) + workload("web", env={"A_URL": "http://db:15432"})
    )
    found = made(text)
    assert "shop/web[Deployment] calls db.shop:15432" in found.told
    assert "the Service lists 5432 alone" in found.told
    assert not found.open("shop/web", "shop/db", 15432)


def test_replicas_of_a_stateful_set_reach_each_other_on_the_ports_that_they_declare():
    text = NODES.replace('"selector": {"matchLabels"', '"serviceName": "search", "selector": {"matchLabels"')
    found = made(text)
    assert found.files["shop/search.yaml"].count("port: 9300") == 2, "in and out"
    assert "# its replicas, by the headless Service search" in found.files["shop/search.yaml"]
