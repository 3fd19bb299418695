"""Hosts that workloads say without a scheme, mistyped namespaces, and configuration that is not here: opened or named."""

import json

import pytest
from made import made, service, workload
from written import written

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
    assert found.open("shop/till", "203.0.113.9", port)
    assert not found.open("shop/till", "203.0.113.9", port + 1)


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


FILE = written("ConfigMap", "shop/settings", data="{settings: %s}")
MOUNTED = {"volumes": [{"name": "v", "configMap": {"name": "settings"}}]}


@pytest.mark.parametrize(
    "text",
    [
        '{"bread":{"host":"oven.bakery","port":8443}}',
        '{"url":"http://oven.bakery:8443"}',
        "bread:\n  host: oven.bakery\n  port: 8443\n",
        "bread.host=oven.bakery\nbread.port=8443\n",
        '[bread]\nserver = "oven.bakery"\n',
        'upstreams = ["oven.bakery:8443"]\n',
        "server { proxy_pass http://oven.bakery:8443; }",
        "host=oven.bakery port=8443 user=x",
        "Server=tcp:oven.bakery,8443;Database=x",
        "dns:///oven.bakery:8443",
        "dns://192.0.2.53/oven.bakery:8443",
        "passthrough:///oven.bakery.svc.cluster.local:8443",
        "dnssrv+_https._tcp.oven.bakery.svc.cluster.local",
        "jdbc:oracle:thin:@//oven.bakery:8443/x",
        "user:pw@tcp(oven.bakery:8443)/x",
    ],
)
def test_a_host_is_found_inside_of_what_a_file_or_a_variable_holds(text):
    mounted = made(OVEN + workload("till", **MOUNTED) + FILE % json.dumps(text))
    for found in (made(till(("SETTINGS", text))), mounted):
        assert found.open("shop/till", "bakery/oven", 8443), found.told


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"bread":{"host":"stove","port":8443}}', "stove:8443"),
        ("bread: stove.bakery:8443\n", "stove.bakery:8443"),
        ("clickhouse://stove:9000/x", "stove:9000"),
        ("odd+scheme://stove/x", "stove"),
        ("dns:///stove.bakery:8443", "stove.bakery:8443"),
        ("bread:\n- stove:8443\n", "stove:8443"),
    ],
)
def test_a_host_inside_of_which_no_service_is_here_is_named(text, named):
    found = made(OVEN + workload("till", **MOUNTED) + FILE % json.dumps(text))
    assert f"shop/till[Deployment] calls {named}, ConfigMap settings" in found.told


def test_an_address_is_opened_with_its_port_and_named_without():
    assert made(till(("LEDGER", "192.0.2.7:5432"))).open("shop/till", "192.0.2.7", 5432)
    assert made(till(("DB_HOST", "192.0.2.7"), ("DB_PORT", "5432"))).open("shop/till", "192.0.2.7", 5432)
    assert made(till(("TOKEN", "http://169.254.169.254/token"))).open("shop/till", "169.254.169.254", 80)
    assert "names 192.0.2.7, env DB_HOST" in made(till(("DB_HOST", "192.0.2.7"))).told
    for own in ("127.0.0.1:80", "0.0.0.0:80", "[::]:80"):
        assert "192" not in (found := made(till(("SELF", own)))).told and "shop/till.yaml" not in found.files


def test_variables_in_variables_are_written_out_and_others_named():
    env = (("WHERE", "oven.bakery"), ("URL", "http://$(WHERE):8443"), ("LATER", "http://${PLACE}:80/x"))
    found = made(till(*env))
    assert found.open("shop/till", "bakery/oven", 8443)
    assert "calls http://${PLACE}:80/x, env LATER" in found.told and "not known here" in found.told


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("SIDECAR", "python:3"), ("NAME", "till"), ("LEVEL", "info"), ("KEYS", '{"a": 1, "b": [true]}'),
        ("BUCKET", "s3://stove/x"), ("SOCKET", "unix:///run/x.sock"), ("ID", "spiffe://corp.local/ns/x"),
        ("CONF", '{"server":{"host":"0.0.0.0","port":8080}}'),
    ],
)  # fmt: skip
def test_what_is_no_host_inside_is_neither_opened_nor_named(key, text):
    found = made(till((key, text)))
    assert "shop/till.yaml" not in found.files and "till" not in found.told


def test_what_is_beyond_the_bound_of_a_text_is_named():
    text = "x " * 200_000 + " http://oven.bakery:8443"
    found = made(OVEN + workload("till", **MOUNTED) + FILE % json.dumps(text))
    assert "shop/till[Deployment], ConfigMap settings" in found.told and "is not read" in found.told


def test_of_many_hosts_that_are_not_here_some_are_named_and_the_rest_is_counted():
    text = "\n".join(f"host{n}: stove{n}.bakery:8443" for n in range(500))
    told = made(OVEN + workload("till", **MOUNTED) + FILE % json.dumps(text)).told.splitlines()
    assert len([t for t in told if "stove" in t]) == 20 and any("calls 480 more hosts" in t for t in told)


@pytest.mark.parametrize(
    "script",
    [
        ["sh", "-c", "until nc -z oven.bakery 8443; do sleep 1; done"],
        ["bash", "-c", "echo > /dev/tcp/oven.bakery/8443"],
        ["app", "--bread-host", "oven.bakery", "--verbose"],
        ["psql", "-h", "oven.bakery", "-U", "x"],
        ["proxy", "--default-backend-service=bakery/oven"],
    ],
)
def test_arguments_say_hosts_in_their_own_ways(script):
    one = workload("till", containers=[{"name": "c", "command": script[:1], "args": script[1:]}])
    assert made(OVEN + one).open("shop/till", "bakery/oven", 8443)


@pytest.mark.parametrize(
    "container",
    [
        {"command": ["python", "-m", "http.server", "8080"]},
        {"command": ["/usr/bin/python3.12"], "args": ["-u", "-W", "ignore", "-Im", "http.server"]},
        {"command": ["tini", "--", "pypy3", "-X", "dev", "-um", "http.server"]},
        {"image": "docker.io/library/python:3.12-slim@sha256:0", "args": ["-m", "http.server"]},
        {"command": ["sh", "-c", "exec python -m http.server 8080"]},
    ],
)
def test_a_module_of_python_is_no_host(container):
    one = workload("till", containers=[{"name": "c", "image": "i", **container}])
    assert "http.server" not in made(OVEN + one).told


@pytest.mark.parametrize(
    "container",
    [
        {"command": ["python", "-m", "till", "--server", "http.server"]},
        {"command": ["send", "-m", "http.server"]},
        {"command": ["python", "till.py", "-m", "http.server"]},
    ],
)
def test_what_only_looks_like_a_module_is_a_host(container):
    one = workload("till", containers=[{"name": "c", "image": "i", **container}])
    assert "http.server" in made(OVEN + one).told


def test_the_streams_of_an_ingress_controller_are_opened():
    args = ["--tcp-services-configmap=shop/streams"]
    one = workload("till", containers=[{"name": "c", "args": args}])
    streams = FILE.replace("name: settings", "name: streams") % '"bakery/oven:8443:PROXY"'
    assert made(OVEN + one + streams).open("shop/till", "bakery/oven", 8443)


def test_keys_and_values_with_a_blank_between_are_pairs():
    text = "[OUTPUT]\n    Name  es\n    Host  oven.bakery\n    Port  8443\n"
    assert made(OVEN + workload("till", **MOUNTED) + FILE % json.dumps(text)).open(
        "shop/till", "bakery/oven", 8443
    )


def test_the_own_node_as_a_host_is_named():
    source = {"fieldRef": {"fieldPath": "status.hostIP"}}
    env = [{"name": "AGENT_HOST", "valueFrom": source}, {"name": "NODE_IP", "valueFrom": source}]
    told = made(workload("till", containers=[{"name": "c", "env": env}])).told
    assert "shop/till[Deployment] calls its own node by AGENT_HOST (status.hostIP)" in told
    assert "NODE_IP" not in told


def test_pods_of_an_operator_that_default_deny_selects_are_named():
    made_by = (
        "---\napiVersion: brew.example/v1\nkind: Kettle\nmetadata: {name: big, namespace: %s}\nspec: {}\n"
    )
    told = made(OVEN + made_by % "bakery" + made_by % "attic").told
    assert "for Kettle bakery/big" in told and "the default-deny of bakery selects them" in told
    assert "attic/big" not in told, "nothing is made for that namespace"


def test_an_ingress_that_asks_somebody_else_opens_the_way_there():
    gate = workload("gate", space="edge", labels={"app.kubernetes.io/name": "ingress-nginx"})
    ingress = (
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: oven\n  namespace: shop\n  annotations: "
        "{nginx.ingress.kubernetes.io/auth-url: 'http://oven.bakery:8443/auth', other: 'http://nobody/x'}\nspec: {ingressClassName: nginx}\n"
    )
    found = made(OVEN + gate + ingress)
    assert found.open("edge/gate", "bakery/oven", 8443) and "nobody" not in found.told


def test_a_scrape_may_name_its_port_or_leave_it_out():
    for port, opened in (("metrics", {9100}), (None, {80, 9100})):
        notes = {"prometheus.io/scrape": "true", **({"prometheus.io/port": port} if port else {})}
        obj = json.loads(workload("hen", space="coop").removeprefix("---"))
        obj["spec"]["template"]["metadata"]["annotations"] = notes
        ports = [{"name": "metrics", "containerPort": 9100}, {"name": "web", "containerPort": 80}]
        obj["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
        found = made(f"---\n{json.dumps(obj)}\n" + workload("prometheus", space="lookout"))
        assert {p for p in (80, 9100, 443) if found.open("lookout/prometheus", "coop/hen", p)} == opened


def test_replicas_of_a_statefulset_reach_each_other_without_a_headless_service_too():
    text = workload("keg", kind="StatefulSet", ports=[9200, 9300]).replace(
        '"spec": {"selector"', '"spec": {"replicas": 3, "selector"'
    )
    found = made(text)
    assert found.open("shop/keg", "shop/keg", 9300) and not found.open("shop/keg", "shop/keg", 22)


@pytest.mark.parametrize(
    "text",
    ["http://$(OVEN_HOT_SERVICE_HOST):$(OVEN_HOT_SERVICE_PORT)/x", "$(OVEN_HOT_SERVICE_HOST):$(OVEN_HOT_SERVICE_PORT_HTTP)", "${OVEN_HOT_SERVICE_HOST}:8443"],
)  # fmt: skip
def test_variables_that_every_container_gets_of_a_service_are_its_name(text):
    oven = workload("oven-hot", ports=[8443]) + service("oven-hot", 8443)
    for key in ("BREAD_URL", "BREAD_ADDR"):
        assert made(oven + till((key, text))).open("shop/till", "shop/oven-hot", 8443), key


@pytest.mark.parametrize(
    ("key", "value"),
    [("IMAGE", "bakery/oven:8443"), ("LOCK", "bakery/oven"), ("--publish-service", "bakery/oven"), ("PATHS", "/x/bakery/oven")],
)  # fmt: skip
def test_a_namespace_and_a_name_alone_are_no_call(key, value):
    assert "shop/till.yaml" not in made(till((key, value))).files


def test_options_of_java_say_hosts_and_what_no_proxy_is_for_is_no_call():
    options = "-Xmx1g -Dbread.proxyHost=oven.bakery -Dbread.proxyPort=8443 -Dbread.nonProxyHosts=oven.bakery"
    assert made(till(("JAVA_OPTS", options))).open("shop/till", "bakery/oven", 8443)
    left = (
        ("NO_PROXY", "kubernetes.default.svc,oven.bakery.svc,10.0.0.0/8"),
        ("JAVA_OPTS", "-Dx.nonProxyHosts=oven.bakery"),
    )
    found = made(till(*left))
    assert "shop/till.yaml" not in found.files and "till" not in found.told


def test_what_a_file_is_called_hides_nothing_in_it():
    text = "upstream x {\n  server 192.0.2.7:5432;\n  server oven.bakery:8443;\n}\n"
    named = FILE.replace("data: {settings", "data: {path-file.conf") % json.dumps(text)
    found = made(OVEN + workload("till", **MOUNTED) + named)
    assert found.open("shop/till", "192.0.2.7", 5432) and found.open("shop/till", "bakery/oven", 8443)


@pytest.mark.parametrize("scheme", ["PLAINTEXT", "SASL_SSL", "HTTP", "https"])
@pytest.mark.parametrize(
    "host", ["oven.bakery", "oven.bakery.svc.cluster.local", "oven.bakery.svc.cluster.local."]
)
def test_a_scheme_in_capitals_and_a_name_with_its_last_dot_are_read(scheme, host):
    found = made(till(("OVENS", f"{scheme}://{host}:8443")))
    assert found.open("shop/till", "bakery/oven", 8443)
    assert "oven" not in found.told


@pytest.mark.parametrize("value", ["postgres", "postgres.data", "redis-master"])
def test_a_host_that_no_service_here_is_called_is_named_though_no_port_is_said(value):
    found = made(till(("DB_HOST", value)))
    assert f"shop/till[Deployment] calls {value}, env DB_HOST" in found.told
    assert "localhost" not in made(till(("DB_HOST", "localhost"))).told
