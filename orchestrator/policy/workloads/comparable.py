"""What of states of a fleet can be compared and judged: answers that depend on what cannot be read would be "no"."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from orchestrator.policy.files.doubles import MOST_TOLD
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS, group_of, policy_kind
from orchestrator.policy.workloads.enforced import may_enforce
from orchestrator.policy.workloads.fleet import Fleet, hidden, not_shown


def asked_alike(*states: Fleet) -> list[Fleet]:
    """All states under the order of the CNI that the last of them tells: the first policy of its own changes no cluster."""
    order = next((f.order for f in reversed(states) if f.order), "")
    return [f if f.order else replace(f, asked_as=order) for f in states]


def known_alone(*states: Fleet, policies: bool = True) -> list[Fleet]:
    """The states, in each without the workloads of which one state does not know labels, or the last one `policies`."""
    spaces = frozenset[str]().union(*(s.obscured.unlabelled for s in states))
    names = frozenset[str]().union(*(n for s in states for n in s.obscured.workloads.values()))
    unruled = {*states[-1].obscured.unruled.values()} if policies else set()
    if not spaces and not names and not unruled:
        return list(states)
    return [
        replace(
            s,
            workloads=tuple(
                w
                for w in s.workloads
                if w.name not in names
                and w.pod.namespace not in spaces
                and not unruled & {"", w.pod.namespace}
            ),
        )
        for s in states
    ]


def not_compared(*states: Fleet) -> int:
    """How many workloads that leaves out, with those that no state knows, and those of which copies of a policy decide."""
    spaces = set(doubted(states[0], states[-1]).values())
    everything = {w.name for s in states for w in s.workloads}
    left = {w.name for s in known_alone(*states) for w in s.workloads if not spaces & {"", w.pod.namespace}}
    hidden = (known for s in states for known in s.obscured.workloads.items())
    return len(everything - left) + len({name for name, known in hidden if not known & everything})


def doubted(old: Fleet, new: Fleet) -> dict[str, str]:
    """Policies that stand twice, differ, and may hide a change, and their namespaces; none is of all of them."""
    if _deciding(old) == _deciding(new):
        return {}
    found = {}
    for name in dict.fromkeys((*new.copies, *old.copies)):
        sides = [[c.spec for c in s.copies.get(name, {}).values()] for s in (old, new)]
        added = all(sides) and len(sides[0]) != len(sides[1])
        if max(map(len, sides)) > 1 and (added or any(len(set(specs)) > 1 for specs in sides)):
            found[name] = name.partition(" ")[2].partition("/")[0]
    return found


def _deciding(fleet: Fleet) -> tuple[object, ...]:
    return fleet.policies, fleet.further, fleet.referred, fleet.workloads, fleet.namespaces


def in_doubt(old: Fleet, new: Fleet) -> Iterator[str]:
    """What is to be said of the namespaces of such policies."""
    found = doubted(old, new)
    for name, space in islice(found.items(), MOST_TOLD):
        what = f"the connections of namespace {space}" if space else "any connection"
        yield f"{what}: the copies of {name} differ or are not as many as before, and each cluster has one of them"
    if len(found) > MOST_TOLD:
        yield f"the connections of {len(found) - MOST_TOLD} more such policies"


def left_out(fleet: Fleet) -> Iterator[str]:
    """What is to be said of where policies are not valid: the objects themselves are findings."""
    spaces = fleet.obscured.unruled.values()
    if "" in spaces:
        yield "any connection: a policy for the whole cluster is not valid, so that they are not known"
        return
    for space in dict.fromkeys(spaces):
        yield f"the connections of namespace {space}: a policy there is not valid, so that they are not known"


def unread_policies(fleet: Fleet) -> Iterator[str]:
    """The policies that stand there and are not evaluated: the cluster does not show them, their shape is wrong, its CNI does not
    enforce them.
    """
    yield from map(not_shown, fleet.unlisted)
    yield from (hidden(document, text) for document, text in fleet.malformed if policy_kind(document.obj))
    yield from fleet.unheeded


def unread_kinds(fleet: Fleet) -> list[str]:
    """The kinds of policies of which the cluster has some, or some of their API, that it does not show and its CNI may enforce."""
    everything = (*fleet.further, *(p for p, _ in fleet.unenforced))
    known = {group_of(str(p["apiVersion"])) for p in everything}
    found = []
    for document in fleet.unlisted:
        group, kind = group_of(document.obj["apiVersion"]), document.obj["kind"].removesuffix("List")
        row = next(
            (k for k in POLICY_KINDS if k.kind == kind and group in (k.group, group_of(k.stored))), None
        )
        if row and (group in known or group != row.group) and may_enforce(fleet.cni, (row.group, kind)):
            found.append(kind)
    return found


def selects_unknown(fleet: Fleet, policy: Mapping[str, Any]) -> bool:
    """Whether a policy may select a workload whose labels are not known."""
    return policy["metadata"]["namespace"] in fleet.obscured.homes


def means_unknown(fleet: Fleet, policy: Mapping[str, Any], peer: Mapping[str, Any]) -> bool:
    """Whether a peer may mean a workload or a namespace whose labels are not known."""
    if peer.get("namespaceSelector") is None:
        return "ipBlock" not in peer and selects_unknown(fleet, policy)
    return bool(fleet.obscured.unlabelled or fleet.obscured.workloads)
