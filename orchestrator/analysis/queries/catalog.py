"""The presets: what meshes, gateways, OpenTelemetry and Hubble call errors and requests, seen from both ends.

A denied connection hurts its client: there it is an error, at the server it is a request that never came.
So a preset without `-client` or `-server` counts errors as callers see them, and requests where they arrive.
Names of metrics and labels: Istio "Standard Metrics"; Linkerd "Proxy Metrics"; ingress-nginx "Monitoring";
Envoy "Cluster manager statistics" with the cluster names that Envoy Gateway gives to routes; OpenTelemetry
"Semantic conventions for HTTP metrics" and "for RPC metrics", in Prometheus' spelling; Cilium "Hubble
metrics".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.analysis.queries.promql import Branch, Counters, Renamed, counters, selector

FOUND = '=~"$namespaces"'
# gRPC codes of a server or a way that fails, as OpenTelemetry's RPC conventions count errors of servers.
_GRPC = '=~"2|4|12|13|14|15"'
_GRPC_NAMES = '=~"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"'
_HUBBLE = "needs Hubble's metric policy:labelsContext=source_namespace,destination_namespace"


@dataclass(frozen=True)
class Preset:
    """`errors` of `total` is the ratio, `volume` the requests; `queries` the rest, by kind."""

    name: str
    about: str
    errors: Counters | None = None
    total: Counters | None = None
    volume: Counters | None = None
    queries: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    provider: str = "prometheus"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it has queries for; the first is meant where a metric names none."""
        return (
            *(["ratio"] if self.errors and self.total else []),
            *(["volume"] if self.volume else []),
            *self.queries,
        )


def _sides(name: str, about: str, client: Preset, server: Preset) -> list[Preset]:
    """Client, server, and the mixture that shows a denial best."""
    text = f"{about}: errors as callers see them, requests that arrive"
    return [Preset(name, text, client.errors, client.total, server.volume), client, server]


def _istio(end: str, reporter: str, side: str) -> Preset:
    space = f"{end}_workload_namespace"
    ours, names = (f"reporter{reporter}", f"{space}{FOUND}"), (Renamed("namespace", space),)
    # Code 0: the caller gave up before an answer came, as it does when packets are dropped.
    bad = ('response_code=~"0|5.."', f"grpc_response_status{_GRPC}")
    errors = (selector("istio_requests_total", *ours, b) for b in bad)
    total = counters(selector("istio_requests_total", *ours), renamed=names)
    text = f"Istio, as the {side}'s proxy reports it"
    return Preset(f"istio-{side}", text, counters(*errors, renamed=names), total, total)


def _linkerd(direction: str, side: str) -> Preset:
    ours = (f'direction="{direction}"', f"namespace{FOUND}")
    return Preset(
        f"linkerd-{side}",
        f"Linkerd, as the {side}'s proxy reports it",
        counters(selector("response_total", *ours, 'classification="failure"')),
        counters(selector("response_total", *ours)),
        counters(selector("request_total", *ours)),
    )


def _ingress_nginx() -> Preset:
    metric, pod = "nginx_ingress_controller_requests", Renamed("pod", "controller_pod")

    def both(*more: str) -> Counters:
        # The Ingress's namespace is `namespace` where the scrape honours labels, else `exported_namespace`.
        moved = selector(metric, f"exported_namespace{FOUND}", *more)
        plain = selector(metric, 'exported_namespace=""', f"namespace{FOUND}", *more)
        names = (Renamed("namespace", "exported_namespace"), pod)
        return Counters((Branch((moved,), names), Branch((plain,), (pod,))))

    text = "ingress-nginx, by the Ingress's namespace"
    return Preset("ingress-nginx", text, both('status=~"5.."'), both(), both())


def _envoy_gateway() -> Preset:
    names = (Renamed("namespace", "envoy_cluster_name", "[a-z]+route/([^/]+)/.+"),)
    ours = 'envoy_cluster_name=~"[a-z]+route/($namespaces)/.+"'
    answers = "envoy_cluster_upstream_rq_xx"
    return Preset(
        "envoy-gateway",
        "Envoy Gateway, by the route's namespace; requests are those that reached a backend",
        counters(selector(answers, ours, 'envoy_response_code_class="5"'), renamed=names),
        counters(selector(answers, ours), renamed=names),
        counters(selector("envoy_cluster_upstream_rq_total", ours), renamed=names),
    )


def _otel(*series: tuple[str, str]) -> Counters:
    """Of metrics and matchers: received over OTLP with promoted attributes, or scraped from pods."""
    promoted = tuple(
        selector(metric, f"k8s_namespace_name{FOUND}", *([m] if m else [])) for metric, m in series
    )
    scraped = tuple(
        selector(metric, 'k8s_namespace_name=""', f"namespace{FOUND}", *([m] if m else []))
        for metric, m in series
    )
    names = (Renamed("namespace", "k8s_namespace_name"), Renamed("pod", "k8s_pod_name"))
    return Counters((Branch(promoted, names), Branch(scraped)))


def _otel_http(side: str) -> Preset:
    metric = f"http_{side}_request_duration_seconds_count"
    total = _otel((metric, ""))
    # An error type of 4xx is the caller's mistake; an answer that never came has a type and no status code.
    errors = _otel((metric, 'http_response_status_code=~"5.."'), (metric, 'error_type!~"|4.."'))
    text = f"OpenTelemetry HTTP semantic conventions (1.23 and later), {side} side"
    return Preset(f"otel-http-{side}", text, errors, total, total)


def _otel_grpc(side: str) -> Preset:
    stable, older = f"rpc_{side}_call_duration_seconds_count", f"rpc_{side}_duration_milliseconds_count"
    total = _otel((stable, 'rpc_system_name="grpc"'), (older, 'rpc_system="grpc"'))
    errors = _otel(
        (stable, f"rpc_response_status_code{_GRPC_NAMES}"), (older, f"rpc_grpc_status_code{_GRPC}")
    )
    text = f"OpenTelemetry RPC semantic conventions for gRPC (the stable and the older names), {side} side"
    return Preset(f"otel-grpc-{side}", text, errors, total, total)


def _hubble(end: str, side: str) -> Preset:
    metric, ours = "hubble_policy_verdicts_total", f"{end}_namespace{FOUND}"
    names = (Renamed("namespace", f"{end}_namespace"),)
    return Preset(
        f"hubble-{side}",
        f"Hubble's policy verdicts on new connections, by the {side}'s namespace; {_HUBBLE}",
        counters(selector(metric, ours, 'action="dropped"'), renamed=names),
        counters(selector(metric, ours), renamed=names),
        counters(selector(metric, ours, 'action!="dropped"'), renamed=names),
    )


def _all() -> list[Preset]:
    source, destination = _istio("source", '="source"', "client"), '=~"destination|waypoint"'
    found = _sides("istio", "Istio", source, _istio("destination", destination, "server"))
    found += _sides("linkerd", "Linkerd", _linkerd("outbound", "client"), _linkerd("inbound", "server"))
    found += [_ingress_nginx(), _envoy_gateway()]
    found += _sides("otel-http", "OpenTelemetry HTTP", _otel_http("client"), _otel_http("server"))
    found += _sides("otel-grpc", "OpenTelemetry gRPC", _otel_grpc("client"), _otel_grpc("server"))
    found += _sides(
        "hubble",
        f"Hubble's policy verdicts ({_HUBBLE})",
        _hubble("source", "client"),
        _hubble("destination", "server"),
    )
    up = {"scrape": f"sum by (namespace) (up{{namespace{FOUND}}})"}
    return [
        *found,
        Preset("up", "Prometheus' own scrape: a lost target is a regression", queries=up),
        _kubernetes("pods-ready", "ready", "ready pods, from the Kubernetes API", {"min_ratio": 0.5}),
        _kubernetes(
            "pod-restarts", "restarts", "container restarts, from the Kubernetes API", {"max_increase": 0.0}
        ),
    ]


def _kubernetes(name: str, what: str, about: str, limits: Mapping[str, float]) -> Preset:
    queries = {"value": f"{what}{{namespace{FOUND}}}"}
    return Preset(name, about, queries=queries, limits=limits, provider="kubernetes")


PRESETS: Mapping[str, Preset] = {p.name: p for p in _all()}
