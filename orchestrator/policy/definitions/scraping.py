"""Who reads metrics: Prometheus and its kin, by their images, names and labels, wherever they stand."""

from collections.abc import Iterator, Sequence

from orchestrator.policy.definitions.needed import Edge, Note, Platform, space_of, standing
from orchestrator.policy.workloads.fleet import Fleet, Workload
from orchestrator.policy.workloads.images import among, arguments, images
from orchestrator.wording import few

USUAL = Platform().monitoring
SCRAPERS = ("prometheus", "prometheus-server", "vmagent", "grafana-agent", "alloy", "otel-collector")
NAME_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
# By the last part of an image's repository. The second kind often carries logs or traces alone: it counts where none of the first is.
_READERS = ("prometheus", "mirrored-prometheus-prometheus", "vmagent", "victoria-metrics")
_COLLECTORS = (
    "grafana/agent", "grafana-agent", "alloy", "telegraf", "opentelemetry-collector", "opentelemetry-collector-contrib",
    "opentelemetry-collector-k8s", "otelcol", "otelcol-contrib",
)  # fmt: skip
_ARGUMENTS = ("--storage.tsdb.", "--storage.agent.", "-promscrape.", "--promscrape.")
# Parts of Prometheus' own chart, which all of them bear its name in a label.
_OTHER_PARTS = ("alertmanager", "pushgateway", "node-exporter", "kube-state-metrics", "operator")
# Kinds of which an operator runs the pods, with the API groups that they are of.
_OPERATED = {
    "Prometheus": "monitoring.coreos.com/",
    "PrometheusAgent": "monitoring.coreos.com/",
    "VMAgent": "operator.victoriametrics.com/",
    "VMSingle": "operator.victoriametrics.com/",
}
MOST_NAMED = 4


def reads_metrics(workload: Workload) -> bool:
    """Whether it reads metrics, by how Prometheus and its kin are installed."""
    return _is_prometheus(workload) or _named(workload, SCRAPERS) or among(images(workload), _COLLECTORS)


def scrapers(fleet: Fleet, platform: Platform) -> list[Workload | str]:
    """Everything that may read metrics here; the namespace where it is assumed to stand if nothing is known to."""
    readers = [w for w in fleet.workloads if _is_prometheus(w)]
    readers = readers or [w for w in fleet.workloads if reads_metrics(w)]
    if platform.monitoring != USUAL:
        within = [w for w in readers if w.pod.namespace == platform.monitoring]
        return [*within] or standing(fleet, platform.monitoring, "prometheus")
    operated = [f"namespace {space}" for space in _operated(fleet)]
    if readers or operated:
        return [*readers, *operated]
    return standing(fleet, platform.monitoring, "prometheus")


def assumed(
    fleet: Fleet, platform: Platform, readers: Sequence[Workload | str], edges: Sequence[Edge]
) -> Iterator[Note]:
    """What is told where metrics are asked for, and whoever reads them is not among the workloads."""
    for end in readers:
        names = sorted({e.dst.name for e in edges if e.src == end and isinstance(e.dst, Workload)})
        if not isinstance(end, str) or not names:
            continue
        space = end.removeprefix("namespace ")
        text = f"Prometheus is not here; opened to {end} alone, --monitoring-namespace names another"
        if space in _operated(fleet):
            text = f"the pods that an operator runs for Prometheus in {space} are not here; opened to that namespace"
        elif platform.monitoring != USUAL:
            if space not in fleet.namespaces:
                continue  # said of the option
            text = f"no workload is known in namespace {space}; opened to that namespace all the same"
        if fleet.within(space):
            text += ", but what they call is not, since default-deny selects them, too: add a policy for their egress"
        yield Note(f"the metrics of {few(names, MOST_NAMED)} are asked for: {text}")


def _operated(fleet: Fleet) -> list[str]:
    """The namespaces in which an operator runs what reads metrics."""
    found = (
        space_of(d.obj)
        for d in fleet.beside
        if str(d.obj["apiVersion"]).startswith(_OPERATED.get(d.obj["kind"], "/"))
    )
    return sorted(set(found))


def _is_prometheus(workload: Workload) -> bool:
    return _named(workload, SCRAPERS[:3]) or among(images(workload), _READERS) or _stores(workload)


def _named(workload: Workload, names: Sequence[str]) -> bool:
    labels = workload.pod.labels
    part = {labels.get("app.kubernetes.io/component", ""), labels.get("component", "")}
    borne = {workload.pod.name, *(labels.get(key, "") for key in NAME_LABELS)}
    return bool(borne & set(names)) and not part & set(_OTHER_PARTS)


def _stores(workload: Workload) -> bool:
    """Whether it is started as Prometheus or vmagent is, whatever its image is called."""
    return any(text.startswith(_ARGUMENTS) for text in arguments(workload))
