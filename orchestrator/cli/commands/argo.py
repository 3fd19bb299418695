"""Waves as Argo Workflows: the commands below `netpol-canary workflows`, and `step`, which their pods run."""

from typing import Annotated

import typer

from orchestrator.cli.app import Log, LogLevel, Name, Target, app, on_cluster
from orchestrator.cli.completions import completed

workflows = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The Argo Workflows that work on waves where a source says `engine: argo`.",
)
app.add_typer(workflows, name="workflows", epilog="Example: netpol-canary workflows render --image IMAGE")
IMAGE = "netpol-canary:0.1.0"


@workflows.command(epilog="Example: netpol-canary workflows render --image IMAGE | kubectl apply -f -")
@on_cluster()
def render(
    target: Target,
    image: Annotated[
        str, typer.Option(help="what pods run: the controller's image", envvar="NETPOL_CANARY_IMAGE")
    ] = IMAGE,
    rollout: Annotated[
        str,
        typer.Option(
            help="a rollout, or a source for its latest one",
            metavar="NAME",
            autocompletion=completed("rollouts"),
        ),
    ] = "",
    wave: Annotated[
        int | None, typer.Option(help="the number of its wave; else the current one", min=0)
    ] = None,
) -> int:
    """Print the WorkflowTemplates, which need no cluster; or the Workflow of a rollout's wave."""
    from orchestrator.cli.operate import wave_workflows

    return wave_workflows.render(target, image, rollout, wave)


@workflows.command(epilog="Example: netpol-canary workflows watch payments")
@on_cluster()
def watch(
    target: Target,
    name: Name,
    timeout: Annotated[float, typer.Option(help="seconds after which to stop following")] = 3600.0,
) -> int:
    """Follow the Workflow of a rollout's current wave until it ends."""
    from orchestrator.cli.operate import wave_workflows

    return wave_workflows.watch(target, name, timeout)


@app.command(epilog="Example: netpol-canary step apply --rollout payments-4f1c2d9a --wave 1 --shard 3")
@on_cluster(secrets=True)
def step(
    target: Target,
    name: Annotated[str, typer.Argument(metavar="STEP", help="baseline, apply, settle, analyze or verdict")],
    rollout: Annotated[str, typer.Option(help="the PolicyRollout")],
    wave: Annotated[int, typer.Option(help="the number of its wave", min=0)],
    shard: Annotated[int, typer.Option(help="which part of the wave: 0 is the first", min=0, max=63)] = 0,
    log: Log = "",
    log_level: LogLevel = "info",
) -> int:
    """One step of an open wave, as a pod of its workflow does it; refuses what the rollout does not ask for now.

    Exit codes: 0 done, 1 the wave is bad or being rolled back, 3 the rollout stands still or is elsewhere, 75 something
    outside gave no answer, and it is worth another try.
    """
    from orchestrator.cli import logs, wiring
    from orchestrator.cli.process import stopping
    from workflows.shard_worker import Worker

    logs.configure(log, log_level)
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        return Worker(ctx, rollout, wave, shard, stop.is_set).run(name)
