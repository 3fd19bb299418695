"""Calico policies of a tier that is not there: Calico asks none of them."""

from collections.abc import Iterator

from orchestrator.policy.evaluate.calico.calico_world import is_calico
from orchestrator.policy.files.nearest import likely
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.of_api import of_calico
from orchestrator.policy.schemas.calico_schema import missing_tier
from orchestrator.policy.workloads.fleet import Fleet


def tierless(fleet: Fleet) -> Iterator[Finding]:
    """Policies that name a tier of which there is no Tier, where the manifests hold any."""
    found = {o["metadata"]["name"] for o in fleet.referred if o["kind"] == "Tier" and is_calico(o)}
    for policy in of_calico(fleet) if found else ():
        for text in missing_tier(policy, found):
            near = likely(policy["spec"]["tier"], {*found, "default"})
            yield of_policy(fleet, "NPC033", policy, text, f"did you mean {near}?" if near else "")
