"""`import`: the policies that stand in a cluster, of every kind that is known here, as a repository for a source."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.adapters.kube.workloads import further_policies
from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.authoring.generate import POLICY, written
from orchestrator.cli.printing import note
from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Unlisted
from orchestrator.policy.translate.made import LAST_APPLIED, text_of
from orchestrator.ports import Cluster, Kind, Manifest
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.places import CLUSTER, place
from orchestrator.wording import few

MOST_NAMED = 5
_OF_KUBERNETES = "knp."  # how older API servers of Calico show NetworkPolicies once more


@dataclass(frozen=True)
class Taken:
    """Policies as files by path, their number, and where one of each further kind stands, by the kind and its API version."""

    files: dict[str, str]
    count: int
    kinds: dict[Kind, str]


def take(to: Path, namespaces: Sequence[str], target: Target) -> int:
    """Write what stands there: one folder a namespace, and one for the whole cluster unless namespaces are named."""
    found = policies_of(wiring.connected(target).cluster, namespaces)
    if not found.files:
        where = few(namespaces, MOST_NAMED) or "the cluster, outside of kube-*"
        hint = f"`netpol-canary generate DIR --to {shlex.quote(str(to))}` writes policies from the manifests of your workloads"
        raise BadInput(f"there is no policy in {where}", hint=hint)
    if found.kinds:
        wide = (
            "; those of the whole cluster also ask for strategy.clusterWide"
            if CLUSTER in found.kinds.values()
            else ""
        )
        named = ", ".join(f"{k.kind} ({k.api_version})" for k in found.kinds)
        note(f"the source has to list in spec.kinds: {named}{wide}")
    return written(to, found.files, found.count)


def policies_of(cluster: Cluster, namespaces: Sequence[str]) -> Taken:
    """Those of these namespaces; where none is named all but those of kube-*, and those of the whole cluster."""
    files: dict[str, list[str]] = {}
    kinds: dict[Kind, str] = {}
    for obj in _standing(cluster):
        space, name = place(obj), str(obj["metadata"]["name"])
        if (namespaces and space not in namespaces) or (not namespaces and space.startswith("kube-")):
            continue
        if name.startswith(_OF_KUBERNETES) and not POLICY.means(obj):
            continue
        bare = objects.bare(obj)
        files.setdefault(f"{space}/{name}.yaml", []).append(
            text_of({**bare, "metadata": _own(bare["metadata"])}, {})
        )
        if not POLICY.means(obj):
            kinds[Kind(str(obj["apiVersion"]), str(obj["kind"]))] = space
    joined = {path: "---\n".join(texts) for path, texts in files.items()}
    return Taken(joined, sum(map(len, files.values())), kinds)


def _standing(cluster: Cluster) -> Iterator[Manifest]:
    """Every policy that may be listed; what may not is named."""
    yield from cluster.list(POLICY)
    for document in further_policies(cluster):
        if isinstance(document, Unlisted):
            kind = document.obj["kind"].removesuffix("List")
            note(f"not taken: {kind} ({document.obj['apiVersion']}): {document.wrong}")
        else:
            yield document.obj


def _own(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Without what a source, or kubectl, puts there by itself."""
    found = dict(metadata)
    for part, key in (("labels", objects.SOURCE_LABEL), ("annotations", LAST_APPLIED)):
        kept = {k: v for k, v in (metadata.get(part) or {}).items() if k != key}
        found.pop(part, None)
        if kept:
            found[part] = kept
    return found
