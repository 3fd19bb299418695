"""The shop as a PolicySource has it: its strategy, and its first policies in force."""

from collections.abc import Mapping, Sequence

from orchestrator.rollout.layout import arrange
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import owned
from orchestrator.sandbox import shop
from orchestrator.sandbox.world import World

SOURCE_NAME = "shop"
CNI_KINDS = (shop.CILIUM, shop.CLUSTERWIDE)


def strategy() -> m.Strategy:
    """Canary, three more, the rest; errors, volume and scrape watched for a minute."""

    def requests(side: str, more: str = "") -> str:
        series = f'http_{side}_requests_total{{namespace=~"$namespaces"{more}}}'
        return f"sum by (namespace) (increase({series}[$window]))"

    metrics = [
        m.MetricSpec(
            name="client-errors",
            kind="ratio",
            errors=requests("client", ',outcome="error"'),
            total=requests("client"),
            maximum=0.02,
            max_increase=0.01,
            required=False,
        ),
        m.MetricSpec(name="requests", kind="volume", query=requests("server"), min_ratio=0.6),
        m.MetricSpec(name="scrape", kind="scrape", query='sum by (namespace) (up{namespace=~"$namespaces"})'),
    ]
    probes = [
        m.ProbeSpec(name="shop-is-open", source="web/web", destination="catalog/catalog", port=shop.HTTP),
        m.ProbeSpec(
            name="mail-cannot-pay",
            source="email/email",
            destination="payments/payments",
            port=shop.HTTP,
            expect="blocked",
        ),
    ]
    return m.Strategy(
        canary_match_labels=[m.Label(key="tier", value="canary")],
        steps=[m.WaveStep(count=3)],
        cluster_wide="waves",
        settle_seconds=5,
        analysis=m.Analysis(interval_seconds=20, count=3, window_seconds=40, metrics=metrics, probes=probes),
    )


def beginning_with_pods() -> m.Strategy:
    """The same, where a quarter of the pods of each workload comes first; what they serve is compared with what the others do."""
    served = 'sum by (namespace, pod) (http_server_requests_total{namespace=~"$namespaces"})'
    plan = strategy()
    metric = m.MetricSpec(name="served", kind="volume", query=served, test="sequential", required=False)
    analysis = plan.analysis.model_copy(update={"metrics": [*plan.analysis.metrics, metric]})
    return plan.model_copy(update={"analysis": analysis, "canary_pods": m.CanaryPods(percent=25)})


def spec(
    url: str, plan: m.Strategy | None = None, identities: Sequence[m.Identity] = ()
) -> m.PolicySourceSpec:
    """The source: the shop's namespaces, and the policies of Kubernetes' API and of Cilium's."""
    return m.PolicySourceSpec(
        git=m.Git(url=url),
        namespaces=m.NamespaceScope(match_labels=[m.Label(key="team", value="shop")]),
        kinds=[m.KindRef(), *(m.KindRef(api_version=k.api_version, kind=k.kind) for k in CNI_KINDS)],
        strategy=plan or strategy(),
        identities=list(identities),
    )


def expanding() -> m.Strategy:
    """The same, where a change that would break a connection between two waves opens first and closes later."""
    return strategy().model_copy(update={"boundaries": "expand"})


def furnish(world: World, more: Mapping[str, str] | None = None) -> None:
    """Put the shop's policies in force, with some files more."""
    files = {name: text.encode() for name, text in {**shop.files(), **(more or {})}.items()}
    spaces = {o["metadata"]["name"]: o["metadata"]["labels"] for o in shop.namespaces()}
    for name, placed in arrange(files, spaces, [("networking.k8s.io/v1", "NetworkPolicy")]).items():
        for item in placed:
            world.cluster.create(owned(item.obj, name, SOURCE_NAME))
