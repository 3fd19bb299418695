"""Says on a source which namespaces left its selection with its policies in them, and removes these where it asks for that."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.context import ROLLOUT, SOURCE, Context
from orchestrator.elapsed import steady
from orchestrator.errors import Conflict
from orchestrator.operations.start import start
from orchestrator.planning.newcomers import refused
from orchestrator.planning.orphans import Orphans, orphans, removable, returned
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import detailed, of_type, put, whole
from orchestrator.rollout.resources.objects import SOURCE_LABEL
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.rollout.resources.timestamps import stamp
from orchestrator.sources.selection import Listed, selection

ORPHANED = "Orphaned"
MOST_REMOVALS = 3
WITHIN = timedelta(hours=1)


@dataclass
class OrphanWatch:
    """One per controller. Namespaces are compared at every look, policies listed where the selection changed since."""

    ctx: Context
    listed: Listed | None = None
    _seen: dict[str, tuple[object, datetime]] = field(default_factory=dict, repr=False)
    _found: dict[str, Orphans] = field(default_factory=dict, repr=False)

    def look(self, source: Source, rollouts: Sequence[Rollout]) -> None:
        """Keep the condition true."""
        chosen, now = selection(self.ctx, source, self.listed), steady(self.ctx.clock)
        known = (
            frozenset(chosen.namespaces),
            frozenset(chosen.others),
            source.status.current_revision_rollout,
        )
        seen, at = self._seen.get(source.uid, (None, now))
        # Twice the interval: an object may also be carried into a namespace that never was the source's.
        if known == seen and now - at < timedelta(seconds=2 * source.spec.drift_interval_seconds):
            return
        found = orphans(self.ctx, source, chosen)
        if self._record(source, found, self._asked(source, rollouts, found)):
            self._seen[source.uid], self._found[source.uid] = (known, now), found

    def remove(self, source: Source, rollouts: Sequence[Rollout]) -> str:
        """What was begun, in words; empty where nothing was, or where the source only reports."""
        found = self._found.get(source.uid, Orphans({}))
        wanted = self._asked(source, rollouts, found)
        if not wanted:
            return ""
        label = f"{SOURCE_LABEL}={source.name}"  # one may have ended since the others were read
        known: list[Rollout] = [load(o) for o in self.ctx.cluster.list(ROLLOUT, self.ctx.namespace, label)]
        wanted -= refused(source, known, removals=True)
        self._seen.pop(source.uid, None)
        if not wanted or self._begun_lately(known) >= MOST_REMOVALS:
            return ""
        fresh: Source = load(self.ctx.cluster.get(SOURCE, source.name, self.ctx.namespace))
        begun = start(self.ctx, fresh, fresh.status.current_revision, only=wanted, cause="orphans")
        if not begun.rollout:
            return ""
        return f"{begun.rollout} removes the policies of namespaces that left the selection"

    def stale(self, source: Source, running: Rollout) -> str:
        """Why a removal that is under way must not go on; empty where it may."""
        if running.spec.cause != "orphans":
            return ""
        names = running.spec.namespace_names
        back = returned(self.ctx, source, names)
        if back:
            return f"{', '.join(back[:3])} is selected again"
        return "" if source.spec.orphans == "remove" else "the source only reports orphans now"

    def _begun_lately(self, rollouts: Sequence[Rollout]) -> int:
        """Labels that come and go make no endless row of rollouts, each with its messages to people."""
        made = [
            stamp(r.manifest["metadata"].get("creationTimestamp"))
            for r in rollouts
            if r.spec.cause == "orphans"
        ]
        now = self.ctx.clock.now()
        return sum(at is not None and now - at < WITHIN for at in made)

    def _asked(self, source: Source, rollouts: Sequence[Rollout], found: Orphans) -> frozenset[str]:
        if source.spec.orphans != "remove" or source.spec.suspend or not source.status.current_revision:
            return frozenset()
        return removable(self.ctx, found) - refused(source, rollouts, removals=True)

    def _record(self, source: Source, found: Orphans, wanted: frozenset[str]) -> bool:
        """Whether the condition says it now; a source that never had an orphan has no such condition."""
        fresh: Source = load(self.ctx.cluster.get(SOURCE, source.name, self.ctx.namespace))
        old = of_type(fresh.status.conditions, ORPHANED)
        status, reason, message = _said(source, found, wanted)
        said = whole(fresh.status.conditions, fresh.status.details, ORPHANED)
        if (old is None and status == "False") or (
            old is not None and (old.status, old.reason, said) == (status, reason, message)
        ):
            return True
        details = detailed(fresh.status.details, ORPHANED, message)
        conditions = put(fresh.status.conditions, ORPHANED, status, reason, message, self.ctx.clock.now())
        try:
            update = fresh.status.model_copy(update={"conditions": conditions, "details": details})
            written: Source = load(self.ctx.cluster.replace_status(fresh.with_status(update)))
        except Conflict:
            return False
        if status == "True" and self.ctx.notifier is not None:
            self.ctx.notifier.notify(written.manifest, reason, message, True)
        return True


def _said(source: Source, found: Orphans, wanted: frozenset[str]) -> tuple[m.ConditionStatus, str, str]:
    if not found.held:
        return "False", "NoOrphans", ""
    text = f"not selected any more, and policies of this source stand there still: {found.text}"
    if wanted:
        return "True", "Removing", f"{text}. A rollout that people approve removes them"
    if source.spec.orphans == "remove" and not source.spec.suspend and source.status.current_revision:
        hint = "a removal was rolled back or rejected, or it is a system namespace; a new revision lets it be tried again"
        return "True", "Orphaned", f"{text}. {hint}"
    return (
        "True",
        "Orphaned",
        f"{text}. Label them again, remove the policies by hand, or set orphans: remove",
    )
