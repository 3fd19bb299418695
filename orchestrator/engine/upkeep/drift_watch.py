"""Looks for drift between rollouts: says so on the source, and repairs it where the source asks for that."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.context import SOURCE, Context
from orchestrator.elapsed import steady
from orchestrator.errors import BadInput, Conflict
from orchestrator.operations.start import start
from orchestrator.planning.drift import Drift, drift
from orchestrator.planning.newcomers import refused
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.conditions import detailed, put, whole
from orchestrator.rollout.resources.resource import Rollout, Source, load

MOST_REPAIRS = 3
WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Finding:
    """A condition's reason and message, and the namespaces to repair now."""

    status: m.ConditionStatus
    reason: str
    message: str
    repair: frozenset[str] = frozenset()


@dataclass
class DriftWatch:
    """One per controller; `look` is called for sources of which no rollout runs."""

    ctx: Context
    _looked: dict[str, datetime] = field(default_factory=dict, repr=False)

    def look(self, source: Source, rollouts: Sequence[Rollout]) -> str:
        """What was begun, in words; empty where nothing was."""
        spec, now = source.spec, self.ctx.clock.now()
        if spec.drift == "ignore" or not source.status.current_revision:
            return ""
        at = steady(self.ctx.clock)
        last = self._looked.get(source.uid)
        if last is not None and at - last < timedelta(seconds=spec.drift_interval_seconds):
            return ""
        self._looked[source.uid] = at
        try:
            found = drift(self.ctx, source, rollouts)
        except BadInput as error:
            self._record(source, Finding("Unknown", "ComparisonFailed", str(error)[:3000]), ())
            return ""
        finding = judged(source, rollouts, found, now)
        fresh = self._record(source, finding, found.contested)
        if fresh is None or not finding.repair:
            return ""
        repairs = [*fresh.status.repairs, now][-8:]
        # The claim of the source's one place and the count of repairs are one write.
        counted = replace(fresh, status=fresh.status.model_copy(update={"repairs": repairs}))
        commit = source.status.current_revision
        begun = start(self.ctx, counted, commit, only=finding.repair, cause="drift")
        return f"{begun.rollout} repairs what differs from {commit[:10]}" if begun.rollout else ""

    def _record(self, source: Source, finding: Finding, contested: Sequence[str]) -> Source | None:
        """The source with its conditions as they are now; None where somebody else wrote it meanwhile."""
        fresh: Source = load(self.ctx.cluster.get(SOURCE, source.name, self.ctx.namespace))
        old = {c.type: c for c in fresh.status.conditions}
        fight = Finding("True", "ManagedByOthers", "; ".join(contested[:8])[:3000])
        calm = Finding("False", "NoOtherManagers", "")
        conditions, now = fresh.status.conditions, self.ctx.clock.now()
        said = whole(conditions, fresh.status.details, "Drifted")
        details = fresh.status.details
        for kind, one in (("Drifted", finding), ("Contested", fight if contested else calm)):
            conditions = put(conditions, kind, one.status, one.reason, one.message, now)
            details = detailed(details, kind, one.message)
        rest = finding.status == "False" and _rested(fresh, now)
        repairs = [] if rest or fresh.spec.drift != "repair" else fresh.status.repairs
        known = details == fresh.status.details and all(old.get(c.type) == c for c in conditions)
        if known and repairs == fresh.status.repairs:
            return fresh
        update = {"conditions": conditions, "details": details, "repairs": repairs}
        try:
            status = fresh.status.model_copy(update=update)
            written: Source = load(self.ctx.cluster.replace_status(fresh.with_status(status)))
        except Conflict:
            return None
        news = "Drifted" not in old or said != finding.message
        if finding.status != "False" and news and self.ctx.notifier is not None:
            self.ctx.notifier.notify(written.manifest, finding.reason, finding.message, True)
        return written


def judged(source: Source, rollouts: Sequence[Rollout], found: Drift, now: datetime) -> Finding:
    """Pure: what the source asks for, with a bound on what is fought over."""
    verified, repairs = source.status.current_revision[:10], source.status.repairs
    if not found.differences:
        return Finding("False", "InSync", f"as {verified} asks for")
    text = f"differs from {verified}, the last verified: {found.text}"
    if source.spec.drift != "repair" or source.spec.suspend:
        return Finding("True", "Drifted", text)
    undone = refused(source, rollouts)
    left = found.namespaces - undone
    if not left:
        hint = "its repair was rolled back; a new revision, or deleting that PolicyRollout, lets it be tried again"
        return Finding("True", "RepairRolledBack", f"{text}. {hint}")
    if len(repairs) >= MOST_REPAIRS and repairs[-1] - repairs[-MOST_REPAIRS] < WITHIN:
        by = f"{found.fighters} fights over it" if found.fighters else "somebody fights over it"
        hint = f"repaired {MOST_REPAIRS} times within an hour, and {by}: it is reported only, until that ends"
        return Finding("True", "RepairContested", f"{text}. {hint}")
    recent = [t for t in repairs if now - t < WITHIN]
    wait = timedelta(seconds=source.spec.drift_interval_seconds) * 2 ** len(recent)
    if recent and now - recent[-1] < wait:
        return Finding(
            "True", "Repairing", f"{text}. The next repair is not before {recent[-1] + wait:%H:%M:%S} UTC"
        )
    return Finding("True", "Repairing", text, left)


def _rested(source: Source, now: datetime) -> bool:
    """Whether the last repair has held for so long that nobody fights any more."""
    repairs = source.status.repairs
    return bool(repairs) and now - repairs[-1] >= WITHIN
