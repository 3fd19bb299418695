"""Hosts that workloads say without a scheme, mistyped namespaces, and configuration that is not here: opened or named."""

import pytest
from made import made, service, workload

OVEN = workload("oven", space="bakery", ports=[8443]) + service("oven", 8443, space="bakery")


def till(*env, **more):
    return OVEN + workload("till", env=dict(env), **more)


@pytest.mark.parametrize(
    ("env", "port"),
    [
        ([("MAIL", "smtp.example.org:587")], 587),
        ([("SMTP_HOST", "smtp.example.org"), ("SMTP_PORT", "2525")], 2525),
        ([("RELAY", "smtps://mail.example.co.uk")], 465),
        ([("DB", "postgresql+asyncpg://u:p@db.example.com/x")], 5432),
        ([("DIRECTORY", "ldap://ldap.example.com")], 389),
        (
            [("KAFKA_BROKERS", "b-1.kafka.example.com:9094, b-2.kafka.example.com:9096")],
            9096,
        ),  # every one of a list
    ],
)
def test_a_host_outside_is_opened_on_the_port_that_is_said(env, port):
    found = made(till(*env))
    assert found.open("shop/till", "203.0.113.9", port) and not found.open(
        "shop/till", "203.0.113.9", port + 1
    )


@pytest.mark.parametrize("port", ["99999", "0", "", "http", "٢٥"])
def test_a_port_that_is_none_beside_a_host_is_not_written_into_a_policy(port):
    found = made(till(("SMTP_HOST", "smtp.example.org"), ("SMTP_PORT", port)))
    assert "names smtp.example.org" in found.told and "no port is said" in found.told


def test_a_host_of_which_no_port_is_said_is_named():
    found = made(till(("SMTP_HOST", "smtp.example.org")))
    assert "shop/till[Deployment] names smtp.example.org, env SMTP_HOST" in found.told
    assert "no port is said, so that nothing is opened for it" in found.told


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("IMAGE", "registry.example.com:5000"),
        ("LISTEN_ADDR", "0.0.0.0:8080"),
        ("MAIL_FROM", "ops@example.com"),
        ("VERSION", "1.2.3"),
        ("MAIN_CLASS", "com.example.app"),
        ("STARTED", "12:30"),
        ("SCRIPT", "run.sh:10"),
        ("BIG", "a.example.com:99999"),
    ],
)
def test_what_is_no_host_is_neither_opened_nor_named(key, value):
    found = made(till((key, value)))
    assert not any(found.open("shop/till", "203.0.113.9", p) for p in (10, 30, 80, 443, 5000, 8080))
    assert value.partition(":")[0] not in found.told


@pytest.mark.parametrize("value", ["http://oven.bakrey:8443", "https://oven.bakrey"])
def test_a_mistyped_namespace_is_named_and_does_not_open_the_internet(value):
    found = made(till(("OVEN_URL", value)))
    assert "did you mean oven.bakery?" in found.told
    assert not any(found.open("shop/till", "203.0.113.9", p) for p in (443, 8443))


def test_a_name_with_one_dot_that_may_be_a_service_elsewhere_is_opened_as_outside_and_said():
    found = made(till(("URL", "http://queue.orders:8080")))
    assert found.open("shop/till", "203.0.113.9", 8080)
    assert "where a Service of another namespace is meant, its manifests are not here" in found.told
    assert "another namespace" not in made(till(("URL", "http://example.com:8080"))).told


def test_configuration_that_is_not_here_is_named_once_a_workload():
    volumes = [
        {"name": "a", "configMap": {"name": "gone"}},
        {"name": "b", "secret": {"secretName": "settings"}},
        {"name": "c", "secret": {"secretName": "shop-tls"}},
        {"name": "d", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
    ]
    told = made(till(volumes=volumes)).told
    assert "shop/till[Deployment] reads ConfigMap gone, not among these manifests" in told
    assert "shop/till[Deployment] mounts Secret settings: an address in there is not read" in told
    assert "shop-tls" not in told and "kube-root-ca" not in told
