"""A source that may write policies of the whole cluster, over the three namespaces in memory."""

import json

from stage import SPACES, Answers, Stage, files
from written import plain

from orchestrator.adapters.kube.workloads import documents
from orchestrator.context import POD
from orchestrator.policy.workloads.fleet import fleet, pods_of
from orchestrator.ports import Kind, ProbeResult

WIDE = Kind("cilium.io/v2", "CiliumClusterwideNetworkPolicy")
KINDS = [
    {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"},
    {"apiVersion": WIDE.api_version, "kind": WIDE.kind},
]
CLUSTER = "_cluster"
DENIAL = {"endpointSelector": {}, "ingressDeny": [{"fromEntities": ["cluster"]}], "ingress": [{}]}
OPEN = {"endpointSelector": {}, "ingress": [{"fromEntities": ["cluster"]}]}


def wide(name, spec):
    return plain(WIDE.kind, name, spec, version=WIDE.api_version)


def at_once(*policies, good=True, mark="d", wide_ones=(), how="atOnce", **stage):
    """Its Git holds these policies for every namespace, and those for the cluster."""
    found = Stage(good, cluster_wide=how, boundaries="proceed", **stage)
    found.change(kinds=KINDS)
    for space in SPACES:
        found.pod(space, "a")
        found.pod(space, "b")
    push(found, mark, policies, wide_ones)
    return found


def push(stage, mark, policies, wide_ones):
    texts = {f"{CLUSTER}/{o['metadata']['name']}.yaml": json.dumps(o).encode() for o in wide_ones}
    stage.repository.push(mark, {**files(*policies), **texts})


class Evaluated(Answers):
    """Answers as the policies that stand have it."""

    def __init__(self, cluster):
        super().__init__(cluster, True)

    def run(self, probes):
        here = fleet(documents(self._cluster), live=True)
        by_pod = {
            f"{p.namespace}/{o['metadata']['name']}": p for o in self._cluster.list(POD) for p in pods_of([o])
        }
        net, pods = (
            here.network(),
            by_pod | {f"{w.pod.namespace}/{w.pod.name}": w.pod for w in here.workloads},
        )
        ends = [(pods[p.source.partition("[")[0]], pods[p.destination.partition("[")[0]]) for p in probes]
        return [
            ProbeResult(p, net.allowed(*pair, p.protocol, p.port))
            for p, pair in zip(probes, ends, strict=True)
        ]


class Shut(Answers):
    """Nothing connects while this is so of any policy of a kind that stands."""

    def __init__(self, cluster, denies=lambda obj: "ingressDeny" in obj["spec"], kind=WIDE):
        super().__init__(cluster, True)
        self._denies, self._kind = denies, kind

    def run(self, probes):
        shut = any(map(self._denies, self._cluster.list(self._kind)))
        return [ProbeResult(p, p.reachable and not shut) for p in probes]
