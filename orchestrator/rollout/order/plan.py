"""The plan: what a revision changes in each namespace, in which waves."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.policy.workloads.fleet import Workload
from orchestrator.rollout.order.waves import PlannedWave
from orchestrator.rollout.order.write_path import NETWORK_POLICY
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.model import Followed
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.resources.places import CLUSTER, staged, whole


@dataclass(frozen=True)
class ObjectChange:
    """One object that differs; None is absence. `file` is `path:line` in the repository."""

    before: Manifest | None
    after: Manifest | None
    file: str = ""

    @property
    def action(self) -> str:
        return "create" if self.before is None else "delete" if self.after is None else "update"

    @property
    def label(self) -> str:
        return objects.label(self.before or self.after or {})


@dataclass(frozen=True)
class Observed:
    """An object that others manage and that is left alone: what Git would make of it, and who manages it."""

    namespace: str
    change: ObjectChange
    managers: str

    @property
    def differs(self) -> bool:
        return not objects.same(self.change.before, self.change.after)


@dataclass(frozen=True)
class NamespacePlan:
    """What changes in one namespace.

    `note` says where no order of writes keeps every connection as it is at both ends; `observed` are objects that
    others manage and that are left alone, `remarks` what else is to be known about who manages what. `stage` is that of a
    namespace of which this is what one of several waves writes, `others` what does not change there, of the source's kinds.
    `most_priority` is the last of AdminNetworkPolicies, where the CNI wants each to have one of its own.
    """

    name: str
    uid: str
    changes: tuple[ObjectChange, ...]
    note: str = ""
    observed: tuple[Observed, ...] = ()
    remarks: tuple[str, ...] = ()
    stage: int = 0
    others: tuple[Manifest, ...] = field(default=(), repr=False)
    most_priority: int | None = None

    @property
    def other_policies(self) -> list[Manifest]:
        """The NetworkPolicies among what does not change."""
        return [obj for obj in self.others if objects.key(obj)[:2] == NETWORK_POLICY]

    @property
    def place(self) -> str:
        """Its name in its wave: see places.py."""
        return staged(self.name, self.stage)

    @property
    def before(self) -> list[Manifest]:
        return [c.before for c in self.changes if c.before is not None]

    @property
    def after(self) -> list[Manifest]:
        return [c.after for c in self.changes if c.after is not None]


@dataclass(frozen=True)
class Plan:
    """Namespaces by wave, of those that change. `digest` binds approvals to exactly this.

    `parts` is what single waves write to places that change in several of them, by their names in the wave. `at_once` says why
    what is cluster-wide cannot, `late` what of it comes with the last wave alone. `followed`
    is how the canary deployment stands that it goes with.

    `observed` and `remarks` are over all namespaces of the source, which `selected` names; `notes` say what of the
    commit is left out.
    """

    source: str
    revision: str
    waves: tuple[PlannedWave, ...]
    namespaces: dict[str, NamespacePlan]
    observed: tuple[Observed, ...] = ()
    remarks: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: Mapping[str, NamespacePlan] = field(default_factory=dict)
    at_once: str = ""
    late: tuple[str, ...] = ()
    followed: Followed = field(default_factory=Followed)

    def written(self, place: str) -> NamespacePlan:
        """What a wave writes to a place, by its name in the wave."""
        return self.parts.get(place) or self.namespaces[place]

    @property
    def numbers(self) -> dict[str, int]:
        """In which wave the whole of a namespace has changed; that of the cluster where it changes at once."""
        return {name: number for number, wave in enumerate(self.waves) for name in wave.names}

    @property
    def cluster_first(self) -> bool:
        """Whether what is for the whole cluster is written before the namespaces of its wave."""
        return any(len(w.namespaces) > 1 and whole(w.namespaces[0]) == CLUSTER for w in self.waves)

    @property
    def expands(self) -> dict[str, NamespacePlan]:
        """What is written to places that first get what the old and the new policies allow together; empty where none does."""
        first = (p for wave in self.waves for p, part in wave.parts.items() if part.both)
        return {whole(place): self.parts[place] for place in first}

    def expanded(self, workload: Workload) -> int:
        """With which wave a pod may do what either end of the change allows; that of its new policies where there is none."""
        for number, wave in enumerate(self.waves):
            if any(part.both and workload.pod.namespace in part.covers for part in wave.parts.values()):
                return number
        return self.wave_of(workload)

    def wave_of(self, workload: Workload) -> int:
        """With which wave a pod comes to the new policies: of all that are about it, for they change together."""
        namespace, labels = workload.pod.namespace, workload.pod.labels
        for number, wave in enumerate(self.waves):
            for place in wave.namespaces:
                part = wave.part(place)
                if (
                    not part.both
                    and namespace in part.covers
                    and all(labels.get(p.key) == p.value for p in part.pods)
                ):
                    return number
        return self.numbers.get(CLUSTER, len(self.waves) - 1)

    @property
    def empty(self) -> bool:
        return not self.namespaces

    @property
    def digest(self) -> str:
        lines = [self.source, self.revision]
        for wave in self.waves:
            for name in wave.namespaces:
                found = self.written(name)
                lines.append(f"{name} {objects.digest(found.before)} {objects.digest(found.after)}")
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def size(plans: Sequence[Manifest]) -> int:
    """Bytes of the canonical texts."""
    return sum(len(objects.canonical(p).encode()) for p in plans)
