"""Every preset's PromQL parses and counts right, by Prometheus' own promtool; made-up series, decoys among them."""

import shutil
import subprocess

import pytest
import yaml
from patience import ENOUGH

from orchestrator.analysis.queries.catalog import PRESETS
from orchestrator.analysis.queries.presets import queries
from orchestrator.analysis.queries.query import resolve

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Prometheus)")
ASKED = ("pay", "web")

ISTIO = 'istio_requests_total{namespace="%s",pod="%s",reporter="%s",source_workload_namespace="%s",destination_workload_namespace="%s",%s}'
NGINX = "nginx_ingress_controller_requests{%s}"
HTTP = "http_%s_request_duration_seconds_count{%s}"

# What a proxy, a gateway or a library exports: series, and how much is added every 30 seconds.
SERIES = {
    ISTIO % ("web", "web-1", "source", "web", "pay", 'response_code="200"'): 10,
    ISTIO % ("web", "web-1", "source", "web", "pay", 'response_code="503"'): 3,
    ISTIO % ("web", "web-1", "source", "web", "pay", 'response_code="0"'): 1,
    ISTIO % ("web", "web-2", "source", "web", "pay", 'response_code="404"'): 5,
    ISTIO % ("web", "web-2", "source", "web", "pay", 'response_code="200",grpc_response_status="14"'): 1,
    ISTIO % ("pay", "pay-1", "destination", "web", "pay", 'response_code="200"'): 9,
    ISTIO % ("pay", "pay-1", "destination", "web", "pay", 'response_code="500"'): 1,
    ISTIO % ("pay", "way-1", "waypoint", "web", "pay", 'response_code="200"'): 2,
    ISTIO % ("cart", "cart-1", "source", "cart", "pay", 'response_code="503"'): 70,
    'response_total{namespace="web",pod="web-1",direction="outbound",classification="success"}': 8,
    'response_total{namespace="web",pod="web-1",direction="outbound",classification="failure"}': 2,
    'response_total{namespace="web",pod="web-1",direction="inbound",classification="failure"}': 1,
    'response_total{namespace="web",pod="web-1",direction="inbound",classification="success"}': 3,
    'request_total{namespace="web",pod="web-1",direction="outbound"}': 11,
    'request_total{namespace="web",pod="web-1",direction="inbound"}': 5,
    # Two controllers, in two namespaces, serve one Ingress; the scrape does not honour labels.
    NGINX % 'namespace="in-a",exported_namespace="pay",controller_pod="a-1",pod="a-1",status="200"': 4,
    NGINX % 'namespace="in-b",exported_namespace="pay",controller_pod="b-1",pod="b-1",status="200"': 4,
    NGINX % 'namespace="in-b",exported_namespace="pay",controller_pod="b-1",pod="b-1",status="504"': 2,
    NGINX % 'namespace="web",exported_namespace="cart",controller_pod="c-1",status="500"': 50,
    # One that honours them.
    NGINX % 'namespace="web",controller_pod="d-1",status="200"': 6,
    NGINX % 'namespace="web",controller_pod="d-1",status="404"': 1,
    'envoy_cluster_upstream_rq_xx{namespace="gw",pod="e-1",envoy_response_code_class="2",envoy_cluster_name="httproute/pay/a/rule/0"}': 5,
    'envoy_cluster_upstream_rq_xx{namespace="gw",pod="e-1",envoy_response_code_class="5",envoy_cluster_name="httproute/pay/b/rule/1"}': 2,
    'envoy_cluster_upstream_rq_xx{namespace="gw",pod="e-2",envoy_response_code_class="2",envoy_cluster_name="grpcroute/pay/c/rule/0"}': 1,
    'envoy_cluster_upstream_rq_xx{namespace="gw",pod="e-1",envoy_response_code_class="5",envoy_cluster_name="httproute/payments/b/rule/1"}': 90,
    'envoy_cluster_upstream_rq_total{namespace="gw",pod="e-1",envoy_cluster_name="httproute/pay/a/rule/0"}': 6,
    'envoy_cluster_upstream_rq_total{namespace="gw",pod="e-1",envoy_cluster_name="xds_cluster"}': 60,
    HTTP % ("client", 'k8s_namespace_name="web",k8s_pod_name="web-1",http_response_status_code="200"'): 10,
    HTTP % ("client", 'k8s_namespace_name="web",k8s_pod_name="web-1",http_response_status_code="503",error_type="503"'): 2,
    HTTP % ("client", 'k8s_namespace_name="web",k8s_pod_name="web-1",http_response_status_code="404",error_type="404"'): 3,
    HTTP % ("client", 'k8s_namespace_name="web",k8s_pod_name="web-1",error_type="timeout"'): 5,
    # The same pods' numbers by way of a collector that Prometheus scrapes: the scrape's namespace is not theirs.
    HTTP % ("client", 'namespace="otel",pod="c-1",k8s_namespace_name="pay",k8s_pod_name="pay-1",http_response_status_code="200"'): 4,
    HTTP % ("client", 'namespace="web",pod="c-2",k8s_namespace_name="pay",k8s_pod_name="pay-1",http_response_status_code="200"'): 4,
    HTTP % ("server", 'namespace="pay",pod="pay-1",http_response_status_code="200"'): 7,
    HTTP % ("server", 'namespace="pay",pod="pay-1",http_response_status_code="500",error_type="500"'): 1,
    'rpc_client_duration_milliseconds_count{namespace="web",pod="web-1",rpc_system="grpc",rpc_grpc_status_code="0"}': 8,
    'rpc_client_duration_milliseconds_count{namespace="web",pod="web-1",rpc_system="grpc",rpc_grpc_status_code="14"}': 2,
    'rpc_client_duration_milliseconds_count{namespace="web",pod="web-1",rpc_system="jsonrpc"}': 80,
    'rpc_server_call_duration_seconds_count{k8s_namespace_name="pay",k8s_pod_name="pay-1",rpc_system_name="grpc",rpc_response_status_code="OK"}': 5,
    'rpc_server_call_duration_seconds_count{k8s_namespace_name="pay",k8s_pod_name="pay-1",rpc_system_name="grpc",rpc_response_status_code="NOT_FOUND"}': 3,
    'rpc_server_call_duration_seconds_count{k8s_namespace_name="pay",k8s_pod_name="pay-1",rpc_system_name="grpc",rpc_response_status_code="UNAVAILABLE"}': 2,
    'hubble_policy_verdicts_total{namespace="kube-system",pod="cilium-1",direction="ingress",action="dropped",source_namespace="web",destination_namespace="pay"}': 3,
    'hubble_policy_verdicts_total{namespace="kube-system",pod="cilium-1",direction="egress",action="forwarded",source_namespace="web",destination_namespace="pay"}': 4,
    'hubble_policy_verdicts_total{namespace="kube-system",pod="cilium-2",direction="ingress",action="redirected",source_namespace="cart",destination_namespace="pay"}': 1,
}  # fmt: skip
GAUGES = {
    'up{namespace="pay",pod="pay-1"}': 1,
    'up{namespace="pay",pod="pay-2"}': 0,
    'up{namespace="cart"}': 1,
}

# By preset and field: what is added every 30 seconds, by namespace and pod.
ISTIO_CLIENT = {"errors": {("web", "web-1"): 4, ("web", "web-2"): 1}, "total": {("web", "web-1"): 14, ("web", "web-2"): 6}}  # fmt: skip
ISTIO_SERVER = {"errors": {("pay", "pay-1"): 1}, "total": {("pay", "pay-1"): 10, ("pay", "way-1"): 2}}
GRPC_CLIENT = {"errors": {("web", "web-1"): 2}, "total": {("web", "web-1"): 10}}
GRPC_SERVER = {"errors": {("pay", "pay-1"): 2}, "total": {("pay", "pay-1"): 10}}
HTTP_CLIENT = {"errors": {("web", "web-1"): 7}, "total": {("web", "web-1"): 20, ("pay", "pay-1"): 8}}
HTTP_SERVER = {"errors": {("pay", "pay-1"): 1}, "total": {("pay", "pay-1"): 8}}
INGRESS = {"errors": {("pay", "b-1"): 2}, "total": {("pay", "a-1"): 4, ("pay", "b-1"): 6, ("web", "d-1"): 7}}
VERDICTS = {"errors": {("web", "cilium-1"): 3}, "total": {("web", "cilium-1"): 7}}
LET_IN = {("pay", "cilium-1"): 4, ("pay", "cilium-2"): 1}
WAS_DROPPED = {"errors": {("pay", "cilium-1"): 3}, "total": {("pay", "cilium-1"): 7, ("pay", "cilium-2"): 1}}
COUNTED = {
    "istio": {**ISTIO_CLIENT, "query": ISTIO_SERVER["total"]},
    "istio-client": {**ISTIO_CLIENT, "query": ISTIO_CLIENT["total"]},
    "istio-server": {**ISTIO_SERVER, "query": ISTIO_SERVER["total"]},
    "linkerd": {"errors": {("web", "web-1"): 2}, "total": {("web", "web-1"): 10}, "query": {("web", "web-1"): 5}},
    "linkerd-client": {"errors": {("web", "web-1"): 2}, "total": {("web", "web-1"): 10}, "query": {("web", "web-1"): 11}},
    "linkerd-server": {"errors": {("web", "web-1"): 1}, "total": {("web", "web-1"): 4}, "query": {("web", "web-1"): 5}},
    "ingress-nginx": {**INGRESS, "query": INGRESS["total"]},
    "envoy-gateway": {
        "errors": {("pay", "e-1"): 2}, "total": {("pay", "e-1"): 7, ("pay", "e-2"): 1}, "query": {("pay", "e-1"): 6}
    },
    "otel-http": {**HTTP_CLIENT, "query": HTTP_SERVER["total"]},
    "otel-http-client": {**HTTP_CLIENT, "query": HTTP_CLIENT["total"]},
    "otel-http-server": {**HTTP_SERVER, "query": HTTP_SERVER["total"]},
    "otel-grpc": {**GRPC_CLIENT, "query": GRPC_SERVER["total"]},
    "otel-grpc-client": {**GRPC_CLIENT, "query": GRPC_CLIENT["total"]},
    "otel-grpc-server": {**GRPC_SERVER, "query": GRPC_SERVER["total"]},
    "hubble": {**VERDICTS, "query": LET_IN},
    "hubble-client": {**VERDICTS, "query": {("web", "cilium-1"): 4}},
    "hubble-server": {**WAS_DROPPED, "query": LET_IN},
}  # fmt: skip


def asked(preset, test):
    """Each query of a preset as it is sent, by field."""
    found = {}
    for kind in preset.kinds:
        for field, text in queries(preset, kind, test).items():
            (found[field],) = resolve(text, ASKED, 300)
    return found


def labelled(**labels):
    return "{" + ", ".join(f'{k}="{v}"' for k, v in labels.items()) + "}"


def expected(counted, test):
    """Ten steps of 30 s lie in the window; twenty lie behind at the end."""
    if test == "sequential":
        return [{"labels": labelled(namespace=n, pod=p), "value": v * 20} for (n, p), v in counted.items()]
    sums = {}
    for (name, _), value in counted.items():
        sums[name] = sums.get(name, 0) + value * 10
    return [{"labels": labelled(namespace=n), "value": v} for n, v in sums.items()]


def promtool(*args):
    return subprocess.run(["promtool", *map(str, args)], capture_output=True, text=True, timeout=ENOUGH)


def prometheus_presets():
    return [p for p in PRESETS.values() if p.provider == "prometheus"]


def test_every_query_of_every_preset_is_a_valid_recording_rule(tmp_path):
    rules = [
        {"record": f"{p.name}:{test}:{field}".replace("-", "_"), "expr": text}
        for p in prometheus_presets()
        for test in ("threshold", "sequential")
        for field, text in asked(p, test).items()
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "presets", "rules": rules}]}))
    done = promtool("check", "rules", path)
    assert done.returncode == 0 and f"{len(rules)} rules found" in done.stdout, done.stderr + done.stdout


@pytest.mark.parametrize("test", ["threshold", "sequential"])
def test_every_preset_counts_what_is_meant_in_the_namespace_that_is_meant(tmp_path, test):
    cases = []
    for name, fields in COUNTED.items():
        sent = asked(PRESETS[name], test)
        assert sent.keys() == fields.keys()
        cases += [
            {"expr": sent[field], "eval_time": "10m", "exp_samples": expected(counted, test)}
            for field, counted in fields.items()
        ]
    series = [{"series": s, "values": f"0+{step}x20"} for s, step in SERIES.items()]
    one = {"interval": "30s", "input_series": series, "promql_expr_test": cases}
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump({"tests": [one], "evaluation_interval": "30s"}))
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_scrape_preset_counts_the_targets_that_answer(tmp_path):
    case = {
        "expr": asked(PRESETS["up"], "threshold")["query"],
        "eval_time": "1m",
        "exp_samples": [{"labels": '{namespace="pay"}', "value": 1}],
    }
    series = [{"series": s, "values": f"{v}x5"} for s, v in GAUGES.items()]
    path = tmp_path / "tests.yml"
    one = {"interval": "30s", "input_series": series, "promql_expr_test": [case]}
    path.write_text(yaml.safe_dump({"tests": [one]}))
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_preset_for_prometheus_is_counted_here():
    assert {p.name for p in prometheus_presets()} == {*COUNTED, "up"}
