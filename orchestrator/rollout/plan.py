"""The plan: what a revision changes in each namespace, in which waves."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.objects import Manifest
from orchestrator.rollout.waves import PlannedWave


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
    others manage and that are left alone, `remarks` what else is to be known about who manages what.
    """

    name: str
    uid: str
    changes: tuple[ObjectChange, ...]
    note: str = ""
    observed: tuple[Observed, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def before(self) -> list[Manifest]:
        return [c.before for c in self.changes if c.before is not None]

    @property
    def after(self) -> list[Manifest]:
        return [c.after for c in self.changes if c.after is not None]


@dataclass(frozen=True)
class Plan:
    """Namespaces by wave, of those that change. `digest` binds approvals to exactly this.

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

    @property
    def empty(self) -> bool:
        return not self.namespaces

    @property
    def digest(self) -> str:
        lines = [self.source, self.revision]
        for wave in self.waves:
            for name in wave.namespaces:
                found = self.namespaces[name]
                lines.append(f"{name} {objects.digest(found.before)} {objects.digest(found.after)}")
        return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def size(plans: Sequence[Manifest]) -> int:
    """Bytes of the canonical texts."""
    return sum(len(objects.canonical(p).encode()) for p in plans)
