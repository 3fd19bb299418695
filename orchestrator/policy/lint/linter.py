"""What is probably wrong with a set of policies: each finding with an id, a severity, a file and a line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.files.doubles import bare, is_copy, title
from orchestrator.policy.files.nearest import nearest
from orchestrator.policy.lint.blocks import empty_blocks, inner_blocks
from orchestrator.policy.lint.covering import covers
from orchestrator.policy.lint.findings import IGNORE, RULES, Finding, Rule, Severity, of_policy, reasons
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
from orchestrator.policy.lint.likely_labels import likely_own, likely_peer
from orchestrator.policy.lint.node_traffic import beside_the_cache, unprobed
from orchestrator.policy.lint.outdated import outdated
from orchestrator.policy.lint.proxies import proxies
from orchestrator.policy.lint.service_ports import service_ports
from orchestrator.policy.lint.shut_out import speechless, uncallable
from orchestrator.policy.lint.space_names import misnamed, without_label
from orchestrator.policy.lint.unsteady import unsteady
from orchestrator.policy.network.dns import Resolution, names_resolver
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.directions import EGRESS, INGRESS, Direction, directions, rules
from orchestrator.policy.objects.pod import Pod, one_pod
from orchestrator.policy.objects.selector import conjunction, requirements
from orchestrator.policy.workloads.comparable import known_alone, means_unknown, selects_unknown
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import isolating, meant, selected

__all__ = ["IGNORE", "RULES", "Finding", "Rule", "Severity", "lint", "malformed"]

MOST_PAIRS = 10_000
EVERYWHERE = ("0.0.0.0/0", "::/0")


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


def _selects_nothing(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        selector = policy["spec"].get("podSelector")
        if selects_unknown(fleet, policy):
            continue
        if selector and not selected(fleet, policy) and conjunction(selector, {}) is not None:
            text = "its podSelector matches no workload"
            yield of_policy(fleet, "NPC001", policy, text, likely_own(fleet, policy))
        elif not selector and (meant := _misspelt(fleet, policy["metadata"]["namespace"])):
            space = policy["metadata"]["namespace"]
            text = f"metadata.namespace is {space}, of which nothing is known: did you mean {' or '.join(meant)}?"
            yield of_policy(fleet, "NPC001", policy, text)


def _misspelt(fleet: Fleet, space: str) -> list[str]:
    """The namespaces of workloads that are spelt most like one of which nothing is known."""
    declared = {d.obj["metadata"]["name"] for d in fleet.beside if d.obj["kind"] == "Namespace"}
    lived_in = {w.pod.namespace for w in fleet.workloads}
    return [] if space in declared | lived_in else nearest(space, sorted(lived_in | declared))


def _matches_nothing(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for rule in rules(policy):
            for place, peer in rule.peer_places():
                if "ipBlock" in peer or not any(peer.values()) or names_resolver(fleet, peer):
                    continue
                if means_unknown(fleet, policy, peer):
                    continue
                if not meant(fleet, policy, peer) and not any(misnamed(fleet, peer)):
                    text, fix = f"{place} matches no workload", likely_peer(fleet, policy, peer)
                    yield of_policy(fleet, "NPC002", policy, text, fix)


def _open(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for rule in rules(policy):
            blocks = [p["ipBlock"]["cidr"] for p in rule.peers if "ipBlock" in p]
            if rule.direction is INGRESS and (not rule.peers or any(b in EVERYWHERE for b in blocks)):
                yield of_policy(fleet, "NPC003", policy, f"{rule.place} lets every address in")


def _unguarded(fleet: Fleet) -> Iterator[Finding]:
    net = fleet.network()
    for workload in fleet.workloads:
        if not net.isolated(workload.pod, INGRESS) and not fleet.further:
            where = fleet.lines.get(workload.name, "")
            yield Finding(RULES["NPC004"], workload.name, "no policy isolates it for ingress", where)


def _without_dns(fleet: Fleet) -> Iterator[Finding]:
    net = fleet.network()
    hidden = "kube-system" in fleet.obscured.unlabelled
    asked = fleet.workloads if not hidden and not fleet.of_cni else ()  # of those: kinds/
    resolution = Resolution(fleet, net)
    for workload in asked:
        if not net.isolated(workload.pod, EGRESS) or resolution.of(workload.pod):
            continue
        mine = isolating(fleet, workload.pod, EGRESS)
        yield of_policy(fleet, "NPC005", mine[0], f"{workload.name} cannot reach any DNS server")


def _shadowed(fleet: Fleet) -> Iterator[Finding]:
    for policies in fleet.ruled.values():
        pods = {id(p): frozenset(id(x) for x in selected(fleet, p)) for p in policies}
        for number, policy in enumerate(policies):
            if not pods[id(policy)] or _default_deny(policy):
                continue
            others = [
                other
                for at, other in enumerate(policies)
                if at != number
                and pods[id(policy)] <= pods[id(other)]
                # Of two that say the same, the later one is called shadowed.
                and (at < number or not (_covered(other, [policy]) and pods[id(other)] <= pods[id(policy)]))
            ]
            if _covered(policy, others):
                names = ", ".join(sorted(_useful(policy, others))[:3])
                yield of_policy(fleet, "NPC007", policy, f"it says nothing that {names} does not say already")


def _default_deny(policy: Mapping[str, Any]) -> bool:
    """It stands for those that come later, whatever other policies say now."""
    selector = policy["spec"].get("podSelector") or {}
    return not requirements(selector) and not any(side.rules(policy) for side in Direction)


def _covered(policy: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether others isolate in every direction that it isolates, and hold each of its rules."""
    for side in directions(policy):
        mine = [o for o in others if side.in_force(o)]
        held = [rule for o in mine for rule in side.rules(o)]
        if not mine or not all(any(covers(wide, r, side) for wide in held) for r in side.rules(policy)):
            return False
    return True


def _useful(policy: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> set[str]:
    """The names of those that share a direction and, where it has rules, a rule."""
    found = set()
    for other in others:
        for side in directions(policy):
            own = side.rules(policy)
            if side.in_force(other) and (
                not own or any(covers(wide, r, side) for wide in side.rules(other) for r in own)
            ):
                found.add(str(other["metadata"]["name"]))
    return found


def _no_default_deny(fleet: Fleet) -> Iterator[Finding]:
    if fleet.further:
        return
    for space, policies in sorted(fleet.ruled.items()):
        everyone = [p for p in policies if requirements(p["spec"].get("podSelector") or {}) == []]
        if not any(INGRESS.in_force(p) for p in everyone):
            text = "no policy selects all pods of the namespace for ingress"
            ignored = reasons(policies[0]["metadata"]).get("NPC008", "")
            yield Finding(
                RULES["NPC008"], f"Namespace {space}", text, fleet.lines.get(title(policies[0]), ""), ignored
            )


def _one_sided(fleet: Fleet) -> Iterator[Finding]:
    """Rules that name one workload's pods, of which the other end refuses all ports."""
    net = fleet.network()
    for policy in fleet.policies:
        for rule in rules(policy):
            mine = selected(fleet, policy)
            for place, peer in rule.peer_places():
                if not any(peer.get(k) for k in ("podSelector", "namespaceSelector")) or not mine:
                    continue
                theirs = meant(fleet, policy, peer)
                if (
                    not theirs
                    or len(mine) * len(theirs) > MOST_PAIRS
                    or _any_passes(net, rule.direction, mine, theirs, rule.ports)
                ):
                    continue
                outward = rule.direction is EGRESS
                code = "NPC009" if outward else "NPC010"
                who = "keeps it out" if outward else "may not connect out to it"
                text = f"{place} allows {theirs[0].namespace}/{theirs[0].name}, which {who} on all of these ports"
                yield of_policy(fleet, code, policy, text)


def _any_passes(
    net: Network,
    side: Direction,
    mine: Sequence[Pod],
    theirs: Sequence[Pod],
    entries: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether the other end lets any pair pass on any of a rule's ports; of two different pods."""
    pairs = [side.ends(one, two) for one in mine for two in theirs if not one_pod(one, two)]
    for src, dst in pairs:
        asked = port_sets.of_rule(entries, dst)
        if not asked or net.passing(side.other, src, dst) & asked:
            return True
    return not pairs


def _egress_open(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for rule in rules(policy):
            blocks = [p["ipBlock"] for p in rule.peers if "ipBlock" in p]
            whole = any(b["cidr"] in EVERYWHERE and not b.get("except") for b in blocks)
            if rule.direction is EGRESS and (whole or not (rule.peers or rule.ports)):
                yield of_policy(fleet, "NPC011", policy, f"{rule.place} lets it connect to every address")


def _invalid(fleet: Fleet) -> Iterator[Finding]:
    for policy, wrong in fleet.invalid:
        yield of_policy(fleet, "NPC012", policy, wrong)


def _twice(fleet: Fleet) -> Iterator[Finding]:
    for policy in (*fleet.policies, *fleet.further):
        if is_copy(policy):
            first = fleet.lines.get(bare(title(policy)), "")
            yield of_policy(fleet, "NPC027", policy, f"another one of this name stands at {first}")


def malformed(fleet: Fleet) -> Iterator[Finding]:
    """A finding for each object that hides itself for its shape."""
    for document, wrong in fleet.malformed:
        meta, where = document.obj["metadata"], document.where
        space = f"{meta['namespace']}/" if meta.get("namespace") else ""
        yield Finding(RULES["NPC026"], f"{document.obj['kind']} {space}{meta['name']}", wrong, where)


def _unknown_ports(fleet: Fleet) -> Iterator[Finding]:
    for policy in fleet.policies:
        for rule in rules(policy):
            named = [
                (p["port"], p.get("protocol", "TCP")) for p in rule.ports if isinstance(p.get("port"), str)
            ]
            if not named:
                continue
            given, inward = rule.peers, rule.direction is INGRESS
            hiding = [{}] if inward else given or [{"namespaceSelector": {}}]
            if any(means_unknown(fleet, policy, peer) for peer in hiding):
                continue
            everyone = [w.pod for w in fleet.workloads]
            out = [pod for peer in given if "ipBlock" not in peer for pod in meant(fleet, policy, peer)]
            targets = selected(fleet, policy) if inward else out if given else everyone
            known = {(port.name, port.protocol) for pod in targets for port in pod.ports}
            for name, protocol in named:
                if (name, protocol) not in known:
                    text = f"{rule.place} names the port {name}/{protocol}, which no destination declares"
                    yield of_policy(fleet, "NPC006", policy, text)


CHECKS: tuple[Callable[[Fleet], Iterator[Finding]], ...] = (
    _selects_nothing,
    _matches_nothing,
    _open,
    _unguarded,
    _without_dns,
    _unknown_ports,
    _shadowed,
    _no_default_deny,
    _one_sided,
    _egress_open,
    _invalid,
    malformed,
    _twice,
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
ABOUT_WORKLOADS = (_selects_nothing, _matches_nothing, _unknown_ports, selecting_nothing)
# These say that policies mean nothing: not of one that means a copy which is left aside.
ABOUT_MATCHES = (*ABOUT_WORKLOADS, service_ports, without_label, unasked)
# These ask whether pods reach each other, which labels that cannot be read decide.
ABOUT_PAIRS = (
    _without_dns,
    _one_sided,
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
