"""`guard`: the process that puts back what an engine left half done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, app
from orchestrator.errors import BadInput, Refused

if TYPE_CHECKING:
    from orchestrator.context import Context
    from orchestrator.ports import Clock, Cluster, PolicyRepository
    from orchestrator.rollout.resources.resource import Source

LEAST, MOST = 1.0, 60.0
CONNECTIONS = 64


@app.command(epilog="Example: netpol-canary guard --interval 5 --listen :8080")
def guard(
    interval: Annotated[
        float, typer.Option(help="seconds between two looks at the rollouts' Leases, 1 to 60")
    ] = 5.0,
    listen: Annotated[str, typer.Option(help="where /metrics, /healthz and /readyz are served")] = ":8080",
    log: Annotated[str, typer.Option(help="json or console; else what suits standard error")] = "",
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Put rollouts back on which nobody works any more; needs the API server alone."""
    from fastapi import FastAPI

    from orchestrator.adapters.clock import SystemClock
    from orchestrator.adapters.kube.cluster import connect
    from orchestrator.cli import logs
    from orchestrator.cli.process import holder, stopping
    from orchestrator.engine.guard import Guard
    from orchestrator.engine.instruments import GuardInstruments
    from orchestrator.server import health
    from orchestrator.server.listen import address, listening
    from orchestrator.server.parts import Parts

    if not LEAST <= interval <= MOST:
        raise BadInput(f"{interval:g} is not between {LEAST:g} and {MOST:g} seconds", "--interval")
    where = address(listen)
    logs.configure(log, log_level)
    instruments = GuardInstruments()
    with stopping() as stop:
        ctx = alone(connect(kubeconfig, context), SystemClock(stop), namespace)
        found = Guard(ctx, holder(), instruments, interval, stop.is_set)
        served = FastAPI(title="netpol-canary guard", docs_url=None, redoc_url=None, openapi_url=None)
        health.install(served, Parts(ctx, found.ready, registry=instruments.registry))
        with listening(served, where, CONNECTIONS, stop.set):
            found.serve()
    return 0


def alone(cluster: Cluster, clock: Clock, namespace: str) -> Context:
    """The API server and nothing else: no Git, no metrics, no probes."""
    from orchestrator.adapters.kube.events import EventNotifier
    from orchestrator.context import Context
    from orchestrator.engine.worker import threads

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
