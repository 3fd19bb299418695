"""The workloads and policies of a live cluster, as documents for the evaluator."""

from collections.abc import Iterable, Iterator, Sequence

from orchestrator.errors import Forbidden, NotFound
from orchestrator.policy.files.manifest import Document, Unlisted, unlisted
from orchestrator.policy.schemas.policy_kinds import AGENT, POLICY_KINDS, REFERRED, PolicyKind
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.rollout.resources.objects import PROBE_LABEL

WHERE = "the cluster"
KINDS = (Kind("v1", "Namespace"), Kind("v1", "Pod"), Kind("networking.k8s.io/v1", "NetworkPolicy"))
ENDED = ("Succeeded", "Failed")
MOST_QUESTIONS = 10  # so many namespaces are asked for one by one, more in one question


def documents(cluster: Cluster) -> Iterator[Document]:
    """Namespaces, pods that run or may run, policies, and what these refer to; a kind that the cluster does not have is none.

    One of the further kinds that may not be listed is Unlisted: most clusters that have it have no such policy.
    """
    groups: set[str] = set()
    for kind in KINDS:
        yield from _documents(cluster.list(kind))
    for policy in POLICY_KINDS:
        found = _further(cluster, policy)
        groups |= {policy.group for d in found if not isinstance(d, Unlisted)}
        yield from found
    referred = (k for group in sorted(groups) for k in REFERRED.get(group, ()))
    for other in dict.fromkeys((*referred, AGENT)):
        # Where no such policies stand, options that may not be read are mostly those of no agent.
        yield from (d for d in _further(cluster, other) if groups or not isinstance(d, Unlisted))


def further_policies(cluster: Cluster, namespace: str | None = None) -> list[Document]:
    """The policies of further kinds, of one namespace and the whole cluster or of all; Unlisted as in `documents`."""
    return [d for p in POLICY_KINDS for d in _further(cluster, p, namespace if p.namespaced else None)]


def _further(cluster: Cluster, wanted: PolicyKind, namespace: str | None = None) -> list[Document]:
    kind = Kind(wanted.api_version, wanted.kind)
    try:
        if wanted.only is None:
            return list(_documents(cluster.list(kind, namespace)))
        space, name = wanted.only
        return list(_documents([cluster.get(kind, name, space)]))
    except NotFound:
        return _elsewhere(cluster, wanted)
    except Forbidden as error:
        if error.status == 401:
            raise
        return [unlisted(*kind, WHERE, f"it may not be read, and what depends on it is not known ({error})")]


def _elsewhere(cluster: Cluster, wanted: PolicyKind) -> list[Document]:
    """What the cluster has of a kind though not in the version that is read; what is only stored there is Unlisted."""
    if wanted.older:
        return _further(cluster, wanted._replace(api_version=wanted.older, older=""))
    stored = wanted.stored and _further(cluster, wanted._replace(api_version=wanted.stored, stored=""))
    if not stored or isinstance(stored[0], Unlisted):
        return stored or []
    why = f"{len(stored)} of them cannot be read without Calico's API server, and what depends on them is not known"
    return [unlisted(wanted.stored, wanted.kind, WHERE, why)]


def _documents(found: Iterable[Manifest]) -> Iterator[Document]:
    for obj in found:
        if (obj.get("status") or {}).get("phase") in ENDED:
            continue
        if PROBE_LABEL in (obj["metadata"].get("labels") or {}):
            continue  # it only imitates a workload that is here already
        if obj["kind"] == "Pod" and "deletionTimestamp" in obj["metadata"]:
            continue  # by the time of a probe it is gone
        metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
        yield Document({**obj, "metadata": metadata}, WHERE, 1)


def within(cluster: Cluster, kind: Kind, spaces: Sequence[str]) -> Iterator[Manifest]:
    """The objects of a kind in some namespaces."""
    if len(spaces) > MOST_QUESTIONS:
        wanted = set(spaces)
        yield from (o for o in cluster.list(kind) if o["metadata"].get("namespace") in wanted)
    else:
        for space in spaces:
            yield from cluster.list(kind, space)
