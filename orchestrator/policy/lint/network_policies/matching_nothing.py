"""Selectors that match no workload, and names of ports that none declares."""

from collections.abc import Iterator

from orchestrator.policy.files.nearest import nearest
from orchestrator.policy.lint.findings import Finding, of_policy
from orchestrator.policy.lint.likely_labels import likely_own, likely_peer
from orchestrator.policy.lint.space_names import misnamed
from orchestrator.policy.network.dns import names_resolver
from orchestrator.policy.objects.directions import INGRESS, rules
from orchestrator.policy.objects.selector import conjunction
from orchestrator.policy.workloads.comparable import means_unknown, selects_unknown
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.policy.workloads.peers import meant, selected


def selects_nothing(fleet: Fleet) -> Iterator[Finding]:
    """Policies whose podSelector, or whose namespace, means no workload."""
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


def matches_nothing(fleet: Fleet) -> Iterator[Finding]:
    """Peers that mean no workload."""
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


def unknown_ports(fleet: Fleet) -> Iterator[Finding]:
    """Names of ports that no destination declares."""
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
