"""The commands below `netpol-canary metrics`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, Output, SecretsDir, app

metrics = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Look at the metrics that a source's rollouts watch."
)
app.add_typer(metrics, name="metrics", epilog="Example: netpol-canary metrics try --source payments")


@metrics.command(
    "try", epilog="Example: netpol-canary metrics try --source payments --namespaces checkout,cart"
)
def ask(
    source: Annotated[str, typer.Option(help="a PolicySource: its name, or a file")] = "",
    namespaces: Annotated[
        str, typer.Option(help="which, separated by commas; else those that the source selects")
    ] = "",
    sandbox: Annotated[bool, typer.Option(help="against the demo's shop, without a cluster")] = False,
    output: Output = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
    secrets: SecretsDir = None,
) -> int:
    """Run a source's queries now: values, a plot, problems; exit code 1 where a rollout cannot use them."""
    from orchestrator.cli.operate import try_metrics
    from orchestrator.cli.wiring import Target

    target = Target(namespace, context, kubeconfig, secrets)
    return try_metrics.trial(target, source, namespaces, sandbox, output)


@metrics.command(epilog="Example: netpol-canary metrics presets istio")
def presets(
    name: Annotated[str, typer.Argument(help="one of them, with its queries", metavar="[NAME]")] = "",
    output: Output = "",
) -> int:
    """List the ready-made queries for meshes, gateways, OpenTelemetry, Hubble and the Kubernetes API."""
    from orchestrator.cli.operate import try_metrics

    return try_metrics.presets(name, output)
