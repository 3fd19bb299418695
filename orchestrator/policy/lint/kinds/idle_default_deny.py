"""`enableDefaultDeny` of Cilium for a direction in which there is no rule: it denies nothing."""

from collections.abc import Iterator

from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.kinds.of_api import of_cilium, specs
from orchestrator.policy.objects.directions import Direction
from orchestrator.policy.workloads.fleet import Fleet


def idle(fleet: Fleet) -> Iterator[Finding]:
    """Each direction that a spec wants closed, and does not close."""
    for policy in of_cilium(fleet):
        for path, spec in specs(policy):
            for side in Direction:
                wanted = (spec.get("enableDefaultDeny") or {}).get(side.part)
                if wanted and not spec.get(side.part) and not spec.get(f"{side.part}Deny"):
                    text = f"{path}.enableDefaultDeny.{side.part}: true denies nothing without a rule of that direction"
                    fix = f"add {side.part}: [{{}}], which denies, or delete the field"
                    yield of_policy(fleet, "NPC036", policy, text, fix)
