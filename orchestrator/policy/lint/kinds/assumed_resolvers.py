"""The cluster's own resolver as Calico's selectors see it, where manifests of applications do not hold it."""

from orchestrator.policy.evaluate.calico.calico_world import GROUP, Known
from orchestrator.policy.network.dns import LABELS, SYSTEM
from orchestrator.policy.objects.selector import NAME_LABEL

_OF_SYSTEM = {f"{GROUP}/name": SYSTEM, NAME_LABEL: SYSTEM}
_OF_ALL = {f"{GROUP}/namespace": SYSTEM, f"{GROUP}/orchestrator": "k8s"}
RESOLVERS = tuple(
    Known(SYSTEM, {"k8s-app": label, **_OF_ALL}, _OF_SYSTEM, account, {f"{GROUP}/name": account})
    for label in LABELS
    for account in ("coredns", "kube-dns")
)
