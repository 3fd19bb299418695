"""What stands of a fleet where copies of its workloads and Namespaces are taken that were left aside."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from orchestrator.policy.lint.findings import Finding
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.workloads.fleet import Fleet, Workload

MOST_STATES = 20

Check = Callable[[Fleet], Iterator[Finding]]


def swapped(fleet: Fleet) -> Iterator[Fleet]:
    """The fleet with the second copies of what stands twice, then with the third ones."""
    for number in sorted(fleet.aside)[:MOST_STATES]:
        copies = [c for c in fleet.aside[number] if isinstance(c, Workload)]
        names = {c.name for c in copies}
        others = [d.obj["metadata"] for d in fleet.aside[number] if not isinstance(d, Workload)]
        labels = {meta["name"]: {NAME_LABEL: meta["name"], **(meta.get("labels") or {})} for meta in others}
        yield replace(
            fleet,
            workloads=(*(w for w in fleet.workloads if w.name not in names), *copies),
            namespaces={**fleet.namespaces, **labels},
            aside={},
        )


def of_every_copy(check: Check, fleet: Fleet) -> list[Finding]:
    """What a check finds whichever copies are taken: a policy is right that matches one of them."""
    found = list(check(fleet))
    for other in swapped(fleet) if found else ():
        known = {_key(f) for f in check(other)}
        found = [f for f in found if _key(f) in known]
        if not found:
            break
    return found


def _key(finding: Finding) -> tuple[str, str, str, str]:
    return finding.rule.id, finding.where, finding.subject, finding.message
