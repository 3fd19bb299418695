"""`install`: the manifests of an installation, printed or applied, after a look at what the cluster offers."""

import sys
from collections.abc import Iterator, Sequence

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.bundle import Manifest, bundle
from orchestrator.adapters.kube.cluster import KubernetesCluster, connect
from orchestrator.cli.app import Target
from orchestrator.cli.operate.preflight import knows, offers
from orchestrator.cli.printing import formatted, printed, table
from orchestrator.cli.process import ticks
from orchestrator.errors import Busy, NotFound, Refused
from orchestrator.ports import Clock, Cluster, Kind
from orchestrator.rollout.resources.objects import same

MANAGER = "netpol-canary-install"
CRD = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
ESTABLISH_SECONDS = 60.0
NEXT = """\
next:
  kubectl -n {namespace} rollout status deployment/netpol-canary   # until its pods run {image}
  netpol-canary init --cluster   # in the root of a repository of policies"""


def render(image: str, extras: Sequence[str], probes: Sequence[str] = ()) -> int:
    """Multi-document YAML on standard output; needs no cluster."""
    import yaml

    print(yaml.safe_dump_all(bundle(image, extras, probes), sort_keys=False), end="")
    return 0


def check(target: Target, output: str) -> int:
    """0 where an installation can work, 1 where something that it cannot do without is missing."""
    formatted(output)
    found = offers(connect(target.kubeconfig, target.context), target.namespace)
    if output:
        rows = [{"name": o.name, "state": o.state, "found": o.found, "todo": o.todo} for o in found]
        printed({"offers": rows}, output)
    else:
        table(("CHECK", "STATE", "FOUND"), ((o.name, o.state, o.found) for o in found))
        for offer in (o for o in found if o.todo):
            print(f"{offer.name}: {offer.todo}")
    return 1 if any(o.state == "missing" for o in found) else 0


def apply(target: Target, image: str, extras: Sequence[str], probes: Sequence[str] = ()) -> int:
    """Apply everything; a line for each object. Refused, with nothing written, where the check finds something missing."""
    documents = bundle(image, extras, probes)
    cluster = connect(target.kubeconfig, target.context)
    found = offers(cluster, target.namespace)
    if missing := [o for o in found if o.state == "missing"]:
        raise Refused("; ".join(f"{o.name}: {o.found}: {o.todo}" for o in missing))
    if unknown := _unknown(cluster, documents):
        raise Refused(
            f"the cluster does not know {', '.join(unknown)}: install what brings them first, or leave that part of --with out"
        )
    for offer in found:
        if offer.state == "warning":
            print(f"warning: {offer.name}: {offer.found}; {offer.todo}")
    for line in applied(cluster, SystemClock(), documents):
        print(line, flush=True)
    print(NEXT.format(namespace=target.namespace, image=image), file=sys.stderr)
    return 0


def _unknown(cluster: Cluster, documents: Sequence[Manifest]) -> list[str]:
    """The kinds of others, such as Argo's or the Prometheus Operator's, that are not there."""
    kinds = {Kind(d["apiVersion"], d["kind"]) for d in documents}
    others = [k for k in kinds if "." in k.api_version.split("/")[0] and "k8s.io/" not in k.api_version]
    return sorted(f"{k.kind} ({k.api_version})" for k in others if not knows(cluster, k))


def applied(cluster: KubernetesCluster, clock: Clock, documents: Sequence[Manifest]) -> Iterator[str]:
    """`kind/name created`, `configured` or `unchanged`, as each of them is; CRDs are waited for."""
    waited = False
    for obj in documents:
        if obj["kind"] != CRD.kind and not waited:
            waited = any(d["kind"] == CRD.kind for d in documents) and _established(cluster, clock, documents)
        before = _standing(cluster, obj)
        said = "created" if before is None else "configured"
        # What would change nothing is not written: a CRD is not served for a moment after each write.
        if before is not None and same(before, cluster.apply(obj, MANAGER, dry_run=True)):
            said = "unchanged"
        else:
            cluster.apply(obj, MANAGER)
        yield f"{obj['kind'].lower()}/{obj['metadata']['name']} {said}"


def _standing(cluster: KubernetesCluster, obj: Manifest) -> Manifest | None:
    meta, kind = obj["metadata"], Kind(obj["apiVersion"], obj["kind"])
    try:
        return cluster.get(kind, meta["name"], meta.get("namespace"))
    except NotFound:
        return None


def _established(cluster: KubernetesCluster, clock: Clock, documents: Sequence[Manifest]) -> bool:
    """Wait until what was applied of the CRDs is served; True once that is so, so that it is waited for once."""
    crds = [d for d in documents if d["kind"] == CRD.kind]
    try:
        if any(
            all(_served(cluster, crd) for crd in crds) for _ in ticks(clock, ESTABLISH_SECONDS, every=0.2)
        ):
            return True
    except NotFound:  # they come after the namespace
        return False
    raise Refused(f"the CRDs are not served after {ESTABLISH_SECONDS:g} s")


def _served(cluster: KubernetesCluster, crd: Manifest) -> bool:
    """Whether its objects can be listed: the API server says 429 for a moment after it has taken a new kind."""
    spec = crd["spec"]
    status = cluster.get(CRD, crd["metadata"]["name"]).get("status") or {}
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or []}
    if conditions.get("Established") != "True":
        return False
    try:
        cluster.list(Kind(f"{spec['group']}/{spec['versions'][0]['name']}", spec["names"]["kind"]))
    except (Busy, NotFound):
        return False
    return True
