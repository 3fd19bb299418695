"""`step`: what a pod of a wave's workflow runs; nothing that a person needs."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, SecretsDir, app


@app.command(epilog="Example: netpol-canary step apply --rollout payments-4f1c2d9a --wave 1 --shard 3")
def step(
    name: Annotated[str, typer.Argument(metavar="STEP", help="baseline, apply, settle, analyze or verdict")],
    rollout: Annotated[str, typer.Option(help="the PolicyRollout")],
    wave: Annotated[int, typer.Option(help="the number of its wave", min=0)],
    shard: Annotated[int, typer.Option(help="which part of the wave: 0 is the first", min=0, max=63)] = 0,
    log: Annotated[str, typer.Option(help="json or console; else what suits standard error")] = "",
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
    secrets: SecretsDir = None,
) -> int:
    """One step of an open wave, as a pod of its workflow does it; refuses what the rollout does not ask for now.

    Exit codes: 0 done, 1 the wave is bad or on its way back, 3 the rollout stands still or is elsewhere, 75 something
    outside gave no answer, and it is worth another try.
    """
    from orchestrator.cli import logs, wiring
    from orchestrator.cli.process import stopping
    from orchestrator.cli.wiring import Target
    from workflows.shard_worker import Worker

    logs.configure(log, log_level)
    with stopping() as stop:
        ctx = wiring.connected(Target(namespace, context, kubeconfig, secrets), stop)
        return Worker(ctx, rollout, wave, shard, stop.is_set).run(name)
