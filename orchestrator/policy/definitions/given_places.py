"""Namespaces that somebody names for a platform's parts: one that is not among the manifests is refused, or named."""

from collections.abc import Iterator

from orchestrator.errors import BadInput
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.files.nearest import nearest
from orchestrator.policy.workloads.fleet import Fleet

_ASSUMED = Platform()


def unknown_places(fleet: Fleet, platform: Platform) -> Iterator[str]:
    """What is told of namespaces that are not here. Raises BadInput for one that is spelt like another that is."""
    for option, given, assumed in (
        ("--ingress-namespace", platform.ingress, _ASSUMED.ingress),
        ("--monitoring-namespace", platform.monitoring, _ASSUMED.monitoring),
        ("--gateway-namespace", platform.gateways, _ASSUMED.gateways),
    ):
        if given == assumed or given in fleet.namespaces:
            continue
        if near := nearest(given, fleet.namespaces):
            hint = f"did you mean {' or '.join(near)}? One that runs elsewhere is taken with its Namespace in the directory"
            raise BadInput(f"there is no namespace {given} among these manifests", option, hint)
        yield f"{option} {given}: that namespace is not among these manifests; rules name it all the same"
