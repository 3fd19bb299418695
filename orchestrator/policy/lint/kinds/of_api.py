"""The policies of a fleet by their API, and the specs of those of Cilium with where they stand."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.evaluate.calico.calico_world import is_calico
from orchestrator.policy.evaluate.cilium.cilium_policies import specs_of
from orchestrator.policy.objects.cilium_words import POLICIES
from orchestrator.policy.workloads.fleet import Fleet

Part = Mapping[str, Any]


def of_cilium(fleet: Fleet) -> list[Part]:
    """CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies: where one stands, Cilium enforces all policies."""
    return [p for p in fleet.further if p["kind"] in POLICIES]


def of_calico(fleet: Fleet) -> list[Part]:
    """Calico's own policies."""
    return [p for p in fleet.further if is_calico(p)]


def specs(policy: Part) -> Iterator[tuple[str, Part]]:
    """Those of a policy of Cilium, each with its path: `spec`, `specs[0]`."""
    return ((before.rstrip(".") or "spec", spec) for before, spec in specs_of(policy))
