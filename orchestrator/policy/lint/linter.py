"""What is probably wrong with a set of policies: each finding with an id, a severity, a file and a line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from orchestrator.policy.lint.blocks import empty_blocks, inner_blocks
from orchestrator.policy.lint.findings import IGNORE, RULES, Finding
from orchestrator.policy.lint.futile import contradictory, out_of_force
from orchestrator.policy.lint.kinds.denied_names import denied
from orchestrator.policy.lint.kinds.equal_priorities import equal_priorities
from orchestrator.policy.lint.kinds.idle_default_deny import idle
from orchestrator.policy.lint.kinds.left_out_labels import unseen
from orchestrator.policy.lint.kinds.names_under_cilium import unresolved
from orchestrator.policy.lint.kinds.open_services import opened
from orchestrator.policy.lint.kinds.order_ties import order_ties
from orchestrator.policy.lint.kinds.selecting_nothing import selecting_nothing
from orchestrator.policy.lint.kinds.tier_names import tierless
from orchestrator.policy.lint.kinds.unasked_baseline import unasked
from orchestrator.policy.lint.kinds.unenforced import without_effect
from orchestrator.policy.lint.left_aside import of_every_copy
from orchestrator.policy.lint.network_policies.left_open_to_all import (
    no_default_deny,
    open_outwards,
    open_to_all,
    unguarded,
)
from orchestrator.policy.lint.network_policies.matching_nothing import (
    matches_nothing,
    selects_nothing,
    unknown_ports,
)
from orchestrator.policy.lint.network_policies.not_as_written import invalid, malformed, twice
from orchestrator.policy.lint.network_policies.one_end_refuses import one_sided, without_dns
from orchestrator.policy.lint.network_policies.shadowed import shadowed
from orchestrator.policy.lint.node_traffic import beside_the_cache, unprobed
from orchestrator.policy.lint.outdated import outdated
from orchestrator.policy.lint.proxies import proxies
from orchestrator.policy.lint.rules.rule import Rule, Severity
from orchestrator.policy.lint.service_ports import service_ports
from orchestrator.policy.lint.shut_out import speechless, uncallable
from orchestrator.policy.lint.space_names import without_label
from orchestrator.policy.lint.unsteady import unsteady
from orchestrator.policy.workloads.comparable import known_alone
from orchestrator.policy.workloads.fleet import Fleet

__all__ = ["IGNORE", "RULES", "Finding", "Rule", "Severity", "lint", "malformed"]


def lint(
    fleet: Fleet,
    severities: Mapping[str, str] | None = None,
    more: Iterable[Finding] = (),
    kubernetes: str = "",
) -> list[Finding]:
    """Every finding, those that an annotation ignores and `more` from elsewhere included, by file and line.

    `severities` gives rules another severity by their ids; `off` leaves one out. `kubernetes` is the version of the
    cluster, such as `1.34`; the newest where it is empty.
    """
    given = severities or {}
    (known,) = known_alone(fleet, policies=False)
    asked = CHECKS if fleet.workloads else tuple(c for c in CHECKS if c not in ABOUT_WORKLOADS)
    said = (
        of_every_copy(check, fleet)
        if check in ABOUT_MATCHES
        else check(known if check in ABOUT_PAIRS else fleet)
        for check in asked
    )
    everything = [*(f for found in said for f in found), *outdated(fleet, kubernetes), *more]
    found = [f for f in everything if given.get(f.rule.id) != "off"]
    found = [
        replace(f, rule=replace(f.rule, severity=given[f.rule.id])) if f.rule.id in given else f  # type: ignore[arg-type]
        for f in found
    ]
    return sorted(found, key=lambda f: (f.where, f.rule.id, f.subject, f.message))


CHECKS: tuple[Callable[[Fleet], Iterator[Finding]], ...] = (
    selects_nothing,
    matches_nothing,
    open_to_all,
    unguarded,
    without_dns,
    unknown_ports,
    shadowed,
    no_default_deny,
    one_sided,
    open_outwards,
    invalid,
    malformed,
    twice,
    service_ports,
    uncallable,
    speechless,
    out_of_force,
    contradictory,
    without_label,
    empty_blocks,
    inner_blocks,
    unsteady,
    beside_the_cache,
    unprobed,
    proxies,
    tierless,
    opened,
    idle,
    unseen,
    without_effect,
    unresolved,
    selecting_nothing,
    denied,
    order_ties,
    unasked,
    equal_priorities,
)
# These would call every policy useless where only policies are known.
ABOUT_WORKLOADS = (selects_nothing, matches_nothing, unknown_ports, selecting_nothing)
# These say that policies mean nothing: not of one that means a copy which is left aside.
ABOUT_MATCHES = (*ABOUT_WORKLOADS, service_ports, without_label, unasked)
# These ask whether pods reach each other, which labels that cannot be read decide.
ABOUT_PAIRS = (
    without_dns,
    one_sided,
    uncallable,
    speechless,
    beside_the_cache,
    unprobed,
    proxies,
    unresolved,
    denied,
    order_ties,
    equal_priorities,
)
