"""The commands below `netpol-canary workflows`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, app

workflows = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The Argo Workflows that work on waves where a source says `engine: argo`.",
)
app.add_typer(workflows, name="workflows", epilog="Example: netpol-canary workflows render --image IMAGE")
IMAGE = "netpol-canary:0.1.0"


@workflows.command(epilog="Example: netpol-canary workflows render --image IMAGE | kubectl apply -f -")
def render(
    image: Annotated[
        str, typer.Option(help="what pods run: the controller's image", envvar="NETPOL_CANARY_IMAGE")
    ] = IMAGE,
    rollout: Annotated[
        str, typer.Option(help="a rollout, or a source for its latest one", metavar="NAME")
    ] = "",
    wave: Annotated[
        int | None, typer.Option(help="the number of its wave; else the current one", min=0)
    ] = None,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Print the WorkflowTemplates, which need no cluster; or the Workflow of a rollout's wave."""
    from orchestrator.cli.operate import wave_workflows
    from orchestrator.cli.wiring import Target

    return wave_workflows.render(Target(namespace, context, kubeconfig), image, rollout, wave)


@workflows.command(epilog="Example: netpol-canary workflows watch payments")
def watch(
    name: Annotated[str, typer.Argument(help="a rollout, or a source for its latest one", metavar="NAME")],
    timeout: Annotated[float, typer.Option(help="seconds after which to stop following")] = 3600.0,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Follow the Workflow of a rollout's current wave until it ends."""
    from orchestrator.cli.operate import wave_workflows
    from orchestrator.cli.wiring import Target

    return wave_workflows.watch(Target(namespace, context, kubeconfig), name, timeout)
