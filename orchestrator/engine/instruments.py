"""The controller's own metrics, for Prometheus; read off the states that the engine sees."""

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from orchestrator.rollout.next import State
from orchestrator.rollout.resources.model import TERMINAL, MeasurementPhase, PauseReason, RolloutPhase
from orchestrator.rollout.resources.resource import Rollout

PHASES: tuple[RolloutPhase, ...] = get_args(RolloutPhase)
REASONS = tuple(reason for reason in get_args(PauseReason) if reason)
PARTS = ("round", "source", "rollout", "record", "delivery", "bridges")
# No quantile is above the last of them: alerts ask for a minute and more.
SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
MOST_REMEMBERED = 10_000


class Instruments:
    """One registry; the names start with netpol_canary_."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry, "namespace": "netpol_canary"}
        self.rollouts = Gauge(
            "rollouts", "PolicyRollouts that stand, by source and phase", ["source", "phase"], **made
        )
        self.paused = Gauge(
            "paused_rollouts",
            "Paused PolicyRollouts, by source and what they wait for",
            ["source", "reason"],
            **made,
        )
        self.emergencies = Gauge(
            "emergency_rollouts",
            "PolicyRollouts under way of which an emergency was declared, by source",
            ["source"],
            **made,
        )
        self.waiting = Gauge(
            "outbox_entries",
            "Notifications to Git hosts and people that are still to be sent, by source",
            ["source"],
            **made,
        )
        self.measurements = Counter("measurements", "Measurements taken, by their phase", ["phase"], **made)
        lasting: dict[str, Any] = {**made, "buckets": SECONDS}
        self.restores = Histogram("restore_seconds", "From detection to everything restored", **lasting)
        self.steps = Histogram("step_seconds", "How long a step takes", ["step"], **lasting)
        self.calls = Counter("api_calls", "Calls of the API server", ["verb", "kind", "outcome"], **made)
        self.reconciles = Counter(
            "reconciles", "Rounds of the controller over all sources", ["outcome"], **made
        )
        self.deliveries = Counter(
            "deliveries", "Notifications to Git hosts and people", ["kind", "outcome"], **made
        )
        self.faults = Counter(
            "faults", "Errors that nobody foresaw, by where they were stopped", ["part"], **made
        )
        # Served from the start: an increase from nothing to one is none to Prometheus, and no alert would see it.
        for outcome in ("ok", "error"):
            self.reconciles.labels(outcome)
        for part in PARTS:
            self.faults.labels(part)
        for measured in get_args(MeasurementPhase):
            self.measurements.labels(measured)
        self._sources: set[str] = set()
        self._measured: dict[str, int] = {}
        self._restored: set[str] = set()

    def called(self, verb: str, kind: str, outcome: str) -> None:
        """One call of the API server."""
        self.calls.labels(verb, kind, outcome).inc()

    def faulted(self, part: str) -> None:
        """An error that nobody foresaw."""
        self.faults.labels(part).inc()

    def delivered(self, kind: str, outcome: str) -> None:
        """One send to a receiver: sent, failed, given up or unwanted."""
        self.deliveries.labels(kind, outcome).inc()

    def stepped(self, step: str, seconds: float) -> None:
        """One step that ended, well or not."""
        self.steps.labels(step).observe(seconds)

    def standing(self, rollouts: Iterable[Rollout]) -> None:
        """All rollouts as they stand now. A source with none of them has no series any more."""
        by_source: dict[str, list[Rollout]] = {}
        for rollout in rollouts:
            by_source.setdefault(rollout.spec.source, []).append(rollout)
        for gone in self._sources - by_source.keys():
            self._forget(gone)
        for source, found in by_source.items():
            self._count(source, found)
        self._sources = set(by_source)

    def _count(self, source: str, found: list[Rollout]) -> None:
        tally = Tally(r.status.phase for r in found)
        for phase in PHASES:
            self.rollouts.labels(source, phase).set(tally[phase])
        waits = Tally(r.status.paused_for for r in found if r.status.phase == "Paused")
        for reason in REASONS:
            self.paused.labels(source, reason).set(waits[reason])
        under_way = (r for r in found if r.status.phase not in TERMINAL)
        self.emergencies.labels(source).set(sum(r.status.emergency is not None for r in under_way))
        self.waiting.labels(source).set(sum(len(r.status.outbox) for r in found))

    def _forget(self, source: str) -> None:
        for phase in PHASES:
            self.rollouts.remove(source, phase)
        for reason in REASONS:
            self.paused.remove(source, reason)
        self.emergencies.remove(source)
        self.waiting.remove(source)

    def seen(self, state: State) -> None:
        """Count what is new in a state: measurements, and a rollback that came to its end."""
        if len(self._measured) > MOST_REMEMBERED:
            self._measured.clear()
            self._restored.clear()
        for analysis in state.analyses.values():
            known = self._measured.get(analysis.uid, 0)
            records = analysis.status.measurements
            for record in records[min(known, len(records)) :]:
                self.measurements.labels(record.phase).inc()
            self._measured[analysis.uid] = len(records)
        status = state.rollout.status
        if status.phase == "RolledBack" and state.rollout.uid not in self._restored:
            self._restored.add(state.rollout.uid)
            if status.restored_seconds is not None:
                self.restores.observe(status.restored_seconds)


GUARD_PARTS = ("round", "rollout", "bridges")


class GuardInstruments:
    """One registry; the names start with netpol_canary_guard_."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry, "namespace": "netpol_canary_guard"}
        self.leader = Gauge("leader", "1 in the replica that acts", **made)
        self.silent = Gauge("silent_rollouts", "Unfinished rollouts on which nobody works", **made)
        self.alerts = Counter("alerts", "Rollouts found abandoned between two waves", **made)
        self.rescues = Counter(
            "rescues", "Rollouts taken over to be rolled back, by the phase then", ["phase"], **made
        )
        self.rounds = Counter("rounds", "Checks of all Leases", ["outcome"], **made)
        self.faults = Counter(
            "faults", "Errors that nobody foresaw, by where they were stopped", ["part"], **made
        )
        # Served from the start: an increase from nothing to one is none to Prometheus, and no alert would see it.
        for phase in PHASES:
            self.rescues.labels(phase)
        for outcome in ("ok", "error"):
            self.rounds.labels(outcome)
        for part in GUARD_PARTS:
            self.faults.labels(part)

    def faulted(self, part: str) -> None:
        """An error that nobody foresaw."""
        self.faults.labels(part).inc()
