"""Which agent enforces network policies here, by its DaemonSet, and the profile that its reading of them has."""

from collections.abc import Iterable

from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.evaluate.cni_profiles import GENERIC as GENERIC
from orchestrator.policy.evaluate.cni_profiles import PROFILES
from orchestrator.ports import Cluster, Kind

DAEMONS = Kind("apps/v1", "DaemonSet")
ENFORCING = (
    "calico-node",
    "cilium",
    "anetd",  # GKE's Dataplane V2, which is Cilium
    "kube-router",
    "antrea-agent",
    "weave-net",
    "kindnet",
    "canal",
    "rke2-canal",
    "aws-node",
    "azure-npm",
    "ovnkube-node",
    "kube-ovn",
)
NETWORK_ONLY = ("aws-node",)  # it enforces where it is told to; beside another agent that one does
PROFILE_OF = {daemon: name for name, found in PROFILES.items() for daemon in found.daemons}
EMBEDDED = {
    "+k3s": "kube-router"
}  # in the API server's version: whose own process enforces, without a DaemonSet
AUTO = "auto"


def enforcing(daemons: Iterable[str]) -> list[str]:
    """Those DaemonSets by whose names policies are enforced."""
    return [d for d in daemons if d.startswith(ENFORCING)]


def profile_of(daemons: Iterable[str]) -> str:
    """The profile of the one agent among them that has one; generic where there is none, or more than one."""
    agents = {next(e for e in ENFORCING if d.startswith(e)) for d in enforcing(daemons)}
    if len(agents) > 1:
        agents -= set(NETWORK_ONLY)
    found = {PROFILE_OF.get(agent, GENERIC) for agent in agents}
    return found.pop() if len(found) == 1 else GENERIC


def detected(cluster: Cluster, named: str = AUTO) -> str:
    """The profile that a source names, or what `auto` finds; generic where the DaemonSets may not be listed."""
    if named != AUTO:
        return named
    try:
        return profile_of(sorted({str(o["metadata"]["name"]) for o in cluster.list(DAEMONS)}))
    except (Forbidden, NotFound):
        return GENERIC


def settled(frozen: str) -> dict[str, bool]:
    """What a frozen profile answers; nothing for a rollout of a version that froze none."""
    return dict(PROFILES[frozen].answers) if frozen in PROFILES else {}
