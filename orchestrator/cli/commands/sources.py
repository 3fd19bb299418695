"""What is asked of a source: `drift`, `poll`, the commands below `metrics` and `notify`."""

from typing import Annotated

import typer

from orchestrator.cli.app import DryRun, Output, Target, app, on_cluster
from orchestrator.cli.completions import completed

metrics = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Try the metrics that a source's rollouts watch, and list ready-made queries.",
)
app.add_typer(metrics, name="metrics", epilog="Example: netpol-canary metrics try --source payments")
notify = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Manage who is notified of rollouts.")
app.add_typer(notify, name="notify", epilog="Example: netpol-canary notify test --source payments")


@app.command(epilog="Example: netpol-canary drift payments")
@on_cluster(secrets=True)
def drift(
    target: Target,
    source: Annotated[
        str, typer.Argument(help="a source", metavar="SOURCE", autocompletion=completed("sources"))
    ],
    output: Output = "",
) -> int:
    """Compare the cluster with the current revision now; exit code 1 where it differs, policies are orphaned, or bridges are left."""
    from orchestrator.cli.rollouts import show_drift

    return show_drift.show(target, source, output)


@app.command(epilog="Example: netpol-canary poll payments --watch")
@on_cluster()
def poll(
    target: Target,
    source: Annotated[
        str, typer.Argument(help="a PolicySource", metavar="SOURCE", autocompletion=completed("sources"))
    ],
    follow: Annotated[
        bool, typer.Option("--watch", help="follow the rollout that is under way, or the next one to begin")
    ] = False,
    timeout: Annotated[float, typer.Option(help="of --watch: give up after so many seconds")] = 3600.0,
    dry_run: DryRun = "",
) -> int:
    """Have the controller poll a source's repository at once; what runs is what Git says."""
    from orchestrator.cli.live import watching
    from orchestrator.cli.rollouts import interventions

    if follow and not dry_run:
        return watching.polled(target, source, timeout)
    return interventions.poll(target, source, dry_run)


@metrics.command(
    "try", epilog="Example: netpol-canary metrics try --source payments --namespaces checkout,cart"
)
@on_cluster(secrets=True)
def ask(
    target: Target,
    source: Annotated[
        str, typer.Option(help="a PolicySource: its name, or a file", autocompletion=completed("sources"))
    ] = "",
    namespaces: Annotated[
        str, typer.Option(help="which, separated by commas; else those that the source selects")
    ] = "",
    sandbox: Annotated[bool, typer.Option(help="against the demo's shop, without a cluster")] = False,
    output: Output = "",
) -> int:
    """Run a source's queries now: values, a plot, problems; exit code 1 where a rollout cannot use them."""
    from orchestrator.cli.operate import try_metrics

    return try_metrics.trial(target, source, namespaces, sandbox, output)


@metrics.command(epilog="Example: netpol-canary metrics presets istio")
def presets(
    name: Annotated[str, typer.Argument(help="one of them, with its queries", metavar="[NAME]")] = "",
    output: Output = "",
) -> int:
    """List the ready-made queries for meshes, gateways, OpenTelemetry, Hubble and the Kubernetes API."""
    from orchestrator.cli.operate import try_metrics

    return try_metrics.presets(name, output)


@notify.command("test", epilog="Example: netpol-canary notify test --source payments --name oncall")
@on_cluster(secrets=True)
def send_test(
    target: Target,
    source: Annotated[
        str, typer.Option(help="a PolicySource: its name, or a file", autocompletion=completed("sources"))
    ],
    name: Annotated[str, typer.Option(help="one of its notifications; else all")] = "",
) -> int:
    """Send a test message to those whom a source names; exit code 1 where one was not accepted."""
    from orchestrator.cli.rollouts import notifying

    return notifying.send_test(target, source, name)
