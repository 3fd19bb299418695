"""Policies that another API server serves, such as Calico's: a change must not keep kube-apiserver from it.

Else nobody could write them any more, nor take them back, and no plan could read them.
Source: apiregistration.k8s.io (APIService, spec.service).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.adapters.kube.cni import settled
from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.definitions.api_server import called
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.api_server_access import shut
from orchestrator.policy.schemas.policy_kinds import CALICO, group_of, policy_kind
from orchestrator.policy.workloads.fleet import Fleet
from orchestrator.ports import Cluster, Kind
from orchestrator.rollout.order.plan import Plan
from orchestrator.rollout.order.write_path import NETWORK_POLICY, path
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.places import CLUSTER, place, whole

API_SERVICE, SERVICE = Kind("apiregistration.k8s.io/v1", "APIService"), Kind("v1", "Service")
UNKNOWN = "whether the change keeps the API server from Calico's own, which serves its policies"


def serving(
    cluster: Cluster, plan: Plan, standing: Sequence[Document]
) -> tuple[list[Document], tuple[str, ...]]:
    """The APIServices of policies that pods serve, with their Services; and what is not known of them, in words.

    Asked for where policies of any further kind stand or are written, whether the CNI enforces them or not.
    """
    changed = (o for n in plan.namespaces.values() for o in (*n.before, *n.after))
    groups = {group_of(str(o["apiVersion"])) for o in changed} - {group_of(NETWORK_POLICY[0])}
    groups |= {row.group for d in standing if (row := policy_kind(d.obj)) is not None}
    if not groups:
        return [], ()
    try:
        found = [o for o in cluster.list(API_SERVICE) if _serves(o, groups)]
        spaces = sorted({str(o["spec"]["service"].get("namespace")) for o in found})
        found += [service for space in spaces for service in cluster.list(SERVICE, space)]
    except NotFound:
        return [], ()
    except Forbidden as error:
        return [], (f"{UNKNOWN} ({error})",) if CALICO in groups else ()
    return [Document(o, "the cluster", 1) for o in found], ()


def _serves(obj: Mapping[str, Any], groups: Collection[str]) -> bool:
    spec = obj.get("spec") or {}
    return bool(spec.get("service")) and spec.get("group") in groups


def cut_off(servers: Sequence[Document], plan: Plan, old: Fleet, cni: str) -> list[str]:
    """What kube-apiserver would not come to any more, after any of the writes, though it does now; in words."""
    reading = settled(cni)
    asked = [one for one in called(servers, old) if not shut(old, one, reading)] if servers else []
    near = {CLUSTER, *(one.workload.pod.namespace for one in asked)}
    found = (
        f"{one.what} at {one.workload.name}"
        for state in (_states(plan, old, near, cni) if asked else ())
        for one in asked
        if shut(state, one, reading)
    )
    return list(dict.fromkeys(found))


def _states(plan: Plan, old: Fleet, near: Collection[str], cni: str) -> Iterator[Fleet]:
    """The cluster after each write in these places, wave by wave."""
    stands = [*old.policies, *old.further, *(p for p, _ in old.unenforced)]
    for written in (p for wave in plan.waves for p in wave.namespaces if whole(p) in near):
        item, name = plan.written(written), whole(written)
        before, after = objects.by_key(item.before), objects.by_key(item.after)
        mine = objects.by_key(o for o in stands if place(o) == name)
        others = {k: o for k, o in mine.items() if k not in before and k not in after}
        around = [*(o for o in stands if place(o) != name), *others.values()]
        for state in path(name, before, after, others, plan.revision):
            stands = [*around, *state.values()]
            plain = tuple(o for o in stands if objects.key(o)[:2] == NETWORK_POLICY)
            further = tuple(o for o in stands if objects.key(o)[:2] != NETWORK_POLICY)
            yield replace(old, policies=plain, further=further, unenforced=()).under(cni)
