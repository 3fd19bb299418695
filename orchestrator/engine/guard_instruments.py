"""The guard's own metrics, for Prometheus."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from orchestrator.engine.instruments import PHASES

PARTS = ("round", "rollout", "bridges")


class GuardInstruments:
    """One registry; the names start with netpol_canary_guard_."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry, "namespace": "netpol_canary_guard"}
        self.leads = Gauge("leads", "1 in the replica that acts", **made)
        self.silent = Gauge("silent_rollouts", "Unfinished rollouts on which nobody works", **made)
        self.alerts = Counter("alerts", "Rollouts found abandoned between two waves", **made)
        self.rescues = Counter(
            "rescues", "Rollouts taken over to be put back, by the phase then", ["phase"], **made
        )
        self.rounds = Counter("rounds", "Looks at all Leases", ["outcome"], **made)
        self.faults = Counter(
            "faults", "Errors that nobody foresaw, by where they were stopped", ["part"], **made
        )
        # Served from the start: an increase from nothing to one is none to Prometheus, and no alert would see it.
        for phase in PHASES:
            self.rescues.labels(phase)
        for outcome in ("ok", "error"):
            self.rounds.labels(outcome)
        for part in PARTS:
            self.faults.labels(part)

    def faulted(self, part: str) -> None:
        """An error that nobody foresaw."""
        self.faults.labels(part).inc()
