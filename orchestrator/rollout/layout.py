"""From files to the objects that each namespace should hold; a folder never means more than it says.

A first-level folder is named after a namespace and holds its objects, however deep below it they stand. What goes into
every namespace that the source selects stands in the shared folder, or at the root where the source says so; what is for
the whole cluster in a folder of its own, or at the root.
"""

import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Document, parse
from orchestrator.policy.files.nearest import did_you_mean, likely
from orchestrator.policy.schemas.acceptable import accepted
from orchestrator.policy.schemas.policy_kinds import clusterwide
from orchestrator.policy.workloads.fleet import SHARED, WORKLOADS
from orchestrator.rollout.resources.places import CLUSTER

ENDINGS = (".yaml", ".yml", ".json")
TESTS = "PolicyTest"  # stands beside the policies, and is applied nowhere
ROOT = "root"
MOST_SHOWN = 200  # characters of a folder's name
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

AT_ONCE = "strategy.clusterWide: atOnce lets the source roll such policies out, in a last wave of their own"
_NAMESPACE = "metadata.namespace"


@dataclass(frozen=True)
class Placed:
    """An object in a namespace, and where it comes from."""

    obj: dict[str, Any]
    file: str
    line: int


@dataclass(frozen=True)
class Layout:
    """What the folders of a source mean.

    `namespaces` are those that it selects, `shared` the folder of what goes into all of them, or `root`; `left` names
    namespaces that it selected when the revision was planned first, and that have gone or are not selected any more;
    `others` are the cluster's other namespaces; `cluster` says whether it may hold what is for the whole cluster.
    """

    namespaces: Collection[str]
    shared: str = SHARED
    left: Collection[str] = ()
    others: Collection[str] = ()
    cluster: bool = False

    def targets(self, document: Document) -> list[str]:
        """The places that an object goes into; none for namespaces that were left. Raises BadInput."""
        where = document.where
        folder = document.path.split("/", 1)[0] if "/" in document.path else ""
        own = str(document.obj["metadata"].get("namespace") or "")
        if clusterwide(document.obj):
            self._wide(folder, own, document)
            return [CLUSTER]
        shared = folder == ("" if self.shared == ROOT else self.shared)
        if folder and not shared:
            if folder == CLUSTER and self.cluster:
                raise BadInput(
                    f"{_named(document)} is of a namespace, and {CLUSTER}/ is for the whole cluster",
                    where,
                    "move it to the folder of its namespace",
                )
            self._known(folder, document.path, where)
            if own and own != folder:
                text = f"the object names namespace {own} in the folder of {folder}"
                raise BadInput(text, where, cited=document.cited(_NAMESPACE))
            return [folder] if folder in self.namespaces else []
        if own and folder:
            text = f"the object names namespace {own} in {folder}/, whose objects go into every namespace"
            raise BadInput(text, where, f"move it to {own}/", document.cited(_NAMESPACE))
        if own:
            return self._owned(own, document)
        if not shared:
            hint = f"move it to {self.shared}/, to the folder of its namespace, or say spec.shared: {ROOT}"
            raise BadInput("a policy at the root says no namespace", where, hint)
        self._nested(document.path, where)
        return sorted(self.namespaces)

    def _wide(self, folder: str, own: str, document: Document) -> None:
        """Refuses a policy of the whole cluster where the source holds none, or not there."""
        text, where = f"{_named(document)} is for the whole cluster", document.where
        if not self.cluster:
            raise BadInput(text, where, AT_ONCE, document.cited("kind"))
        if own:
            raise BadInput(f"{text}, and names namespace {own}", where, cited=document.cited(_NAMESPACE))
        if folder not in ("", CLUSTER):
            raise BadInput(f"{text}, and stands in {folder}/", where, f"move it to {CLUSTER}/")

    def _known(self, folder: str, path: str, where: str) -> None:
        """Refuses a folder that is no namespace of the source, and says what was meant."""
        if folder in self.namespaces or folder in self.left:
            return
        deeper = path.split("/")[1:-1]
        below = next((n for n, part in enumerate(deeper) if part in self.namespaces), None)
        known = [*self.namespaces, WORKLOADS, *([CLUSTER] if self.cluster else [])]
        known += [] if self.shared == ROOT else [self.shared]
        if folder in self.others:
            hint = f"namespace {folder} is there, but not selected: label or name it, or take the folder away"
        elif below is not None:
            hint = f"did you mean git.path: {'/'.join([folder, *deeper[:below]])}?"
        elif found := likely(folder, known):
            hint = f"did you mean {found}?"
        elif folder == SHARED:
            hint = f"the source says spec.shared: {self.shared}, where such policies stand instead"
        else:
            shared = "the root" if self.shared == ROOT else f"{self.shared}/"
            hint = f"a folder is named after a namespace that the source selects; what goes into all stands in {shared}"
        raise BadInput(
            f"the folder {folder[:MOST_SHOWN]} is no namespace that the source selects", where, hint
        )

    def _owned(self, name: str, document: Document) -> list[str]:
        if name in self.namespaces:
            return [name]
        if name in self.left:
            return []
        found = "" if name in self.others else likely(name, self.namespaces)
        hint = f"did you mean {found}?" if found else "name a namespace that the source selects"
        text = f"namespace {name} is outside the source, or does not exist"
        raise BadInput(text, document.where, hint, document.cited(_NAMESPACE))

    def _nested(self, path: str, where: str) -> None:
        """A folder of a namespace within the shared one would mean all namespaces."""
        inner = next((p for p in path.split("/")[1:-1] if p in self.namespaces), "")
        if inner:
            text = f"{posixpath.dirname(path)} is named after namespace {inner}, and stands in {self.shared}/"
            raise BadInput(text, where, f"move it to {inner}/, or name it otherwise")

    def check(self) -> None:
        """Raises BadInput where one folder would mean two things."""
        if self.cluster and self.shared == CLUSTER:
            text = f"the folder {CLUSTER} would hold what is for the whole cluster, and be shared by all namespaces"
            raise BadInput(text, "spec.shared", f"name another folder there, such as {SHARED}")
        if self.shared in self.namespaces and self.shared != ROOT:
            text = f"the folder {self.shared} would be namespace {self.shared}'s and shared by all"
            raise BadInput(text, "spec.shared", f"name another folder there, such as {SHARED}")


def arrange(
    files: Mapping[str, bytes],
    namespaces: Mapping[str, Mapping[str, str]],
    kinds: Sequence[tuple[str, str]],
    shared: str = SHARED,
    left: Collection[str] = (),
    others: Collection[str] = (),
    cluster: bool = False,
) -> dict[str, list[Placed]]:
    """The desired objects of each selected namespace, and of the cluster. Raises BadInput with file and line."""
    layout = Layout(namespaces.keys(), shared or SHARED, left, others, cluster)
    layout.check()
    _built(files)
    documents = [d for path in sorted(files) if path.endswith(ENDINGS) for d in parse(files[path], path)]
    documents = [d for d in documents if d.obj["kind"] != TESTS and not _beside(d, kinds, layout.shared)]
    if not documents:
        raise BadInput(
            "there is no policy in the source's path", hint="commit a manifest there, or fix git.path"
        )
    found: dict[str, list[Placed]] = {n: [] for n in (*namespaces, *([CLUSTER] if cluster else []))}
    seen: dict[tuple[str, str, str, str], str] = {}
    for document in documents:
        where = document.where
        obj = document.obj
        targets = layout.targets(document)  # first: what a misspelt folder holds matters less than its name
        if (obj["apiVersion"], obj["kind"]) not in kinds:
            allowed = ", ".join(kind for _, kind in kinds)
            text = f"{obj['kind']} is not a kind that this source may write ({allowed})"
            fix = did_you_mean(obj["kind"], [kind for _, kind in kinds], "")
            raise BadInput(text, where, fix, document.cited("kind"))
        accepted(document)
        for name in targets:
            identity = (name, obj["apiVersion"], obj["kind"], obj["metadata"]["name"])
            if identity in seen:
                whose = "the whole cluster" if name == CLUSTER else f"namespace {name}"
                text = f"{obj['kind']}/{obj['metadata']['name']} stands twice for {whose}"
                raise BadInput(text, where, f"the other one is at {seen[identity]}")
            seen[identity] = where
            found[name].append(Placed(obj, document.path, document.line))
    return found


def _named(document: Document) -> str:
    return f"{document.obj['kind']} {document.obj['metadata']['name']}"


def _beside(document: Document, kinds: Sequence[tuple[str, str]], shared: str) -> bool:
    """Whether an object stands among the workloads. Refuses a policy there: it would be in force nowhere."""
    if shared == WORKLOADS or document.path.split("/", 1)[0] != WORKLOADS or "/" not in document.path:
        return False
    obj = document.obj
    if (obj["apiVersion"], obj["kind"]) in kinds:
        text = f"{obj['kind']} {obj['metadata']['name']} stands in {WORKLOADS}/, which is applied nowhere"
        raise BadInput(text, document.where, "move it to the folder of its namespace")
    return True


def _built(files: Mapping[str, bytes]) -> None:
    """Refuses kustomizations that nobody builds: the files beside them would be taken as they are."""
    for path in sorted(files):
        if posixpath.basename(path) in KUSTOMIZATIONS and path.count("/") > 1:
            folder = path.split("/", 1)[0]
            hint = f"let one in {folder}/ name it among its resources, or write the policies out"
            raise BadInput("a kustomization below the first level is not built by itself", path, hint)
