"""Runs what `guard` runs: a guard beside /metrics and health, until SIGTERM or SIGINT."""

from fastapi import FastAPI

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.kube.events import EventNotifier
from orchestrator.cli import logs
from orchestrator.cli.app import Target
from orchestrator.cli.process import holder, stopping
from orchestrator.context import Context
from orchestrator.engine.guard import Guard
from orchestrator.engine.instruments import GuardInstruments
from orchestrator.engine.worker import threads
from orchestrator.errors import BadInput, Refused
from orchestrator.ports import Clock, Cluster, PolicyRepository
from orchestrator.rollout.resources.resource import Source
from orchestrator.server import health
from orchestrator.server.listen import address, listening
from orchestrator.server.parts import Parts

LEAST, MOST = 1.0, 60.0
CONNECTIONS = 64


def run(target: Target, interval: float, listen: str, log: str, log_level: str) -> int:
    """0 once stopped. Raises BadInput."""
    if not LEAST <= interval <= MOST:
        raise BadInput(f"{interval:g} is not between {LEAST:g} and {MOST:g} seconds", "--interval")
    where = address(listen)
    logs.configure(log, log_level)
    instruments = GuardInstruments()
    with stopping() as stop:
        ctx = alone(
            connect(target.kubeconfig, target.context),
            SystemClock(stop),
            target.namespace,
        )
        found = Guard(ctx, holder(), instruments, interval, stop.is_set)
        served = FastAPI(title="netpol-canary guard", docs_url=None, redoc_url=None, openapi_url=None)
        health.install(served, Parts(ctx, found.ready, registry=instruments.registry))
        with listening(served, where, CONNECTIONS, stop.set):
            found.serve()
    return 0


def alone(cluster: Cluster, clock: Clock, namespace: str) -> Context:
    """The API server and nothing else: no Git, no metrics, no probes."""

    def none(source: Source) -> PolicyRepository:
        raise Refused(f"{source.name}: a guard reads no repository")

    events = EventNotifier(cluster, clock)
    return Context(
        cluster,
        clock,
        none,
        lambda plan, name: None,
        lambda probing, owner, beat: None,
        events,
        namespace,
        threads,
    )
