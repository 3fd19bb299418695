"""Selectors on labels that controllers put on single pods, runs or places: they match today, and not the next pod."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.policy.lint.findings import Finding, of_policy, softened
from orchestrator.policy.objects.directions import rules
from orchestrator.policy.objects.lasting_labels import passing
from orchestrator.policy.objects.selector import requirements
from orchestrator.policy.workloads.fleet import Fleet

# Somebody may well mean one replica, the leader or one zone.
_MEANT = frozenset(
    {
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "spilo-role",
        "cnpg.io/instanceRole",
        "cnpg.io/podRole",
    }
)
_PLACES = ("topology.kubernetes.io/", "failure-domain.beta.kubernetes.io/", "kubernetes.io/", "node")
_JOB = ("job-name", "batch.kubernetes.io/job-name")


def unsteady(fleet: Fleet) -> Iterator[Finding]:
    """Policies and peers whose podSelectors ask for such a label's value."""
    jobs = {w.pod.name for w in fleet.workloads if w.kind == "Job" and not _owned(w.obj)}
    for policy in fleet.policies:
        named = [("podSelector", policy["spec"].get("podSelector") or {})]
        named += [
            (f"{place}.podSelector", peer.get("podSelector") or {})
            for rule in rules(policy)
            for place, peer in rule.peer_places()
        ]
        for place, selector in named:
            for key, operator, values in requirements(selector):
                if operator != "In" or not any(passing(key, v) for v in values):
                    continue
                if key in _JOB and values <= jobs:
                    continue  # a Job of that name stands here
                text = f"{place} asks for {key}={', '.join(sorted(values))}, a label of single pods or releases: "
                finding = of_policy(fleet, "NPC022", policy, f"{text}what comes after them does not match")
                deliberate = key in _MEANT or key.startswith(_PLACES)
                yield softened(finding, "info") if deliberate else finding


def _owned(obj: Mapping[str, Any]) -> bool:
    return bool((obj.get("metadata") or {}).get("ownerReferences"))
