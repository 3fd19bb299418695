"""Rollouts: planned, run, looked at, decided on, stopped and sent back."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import DryRun, Name, Output, Target, app, on_cluster
from orchestrator.cli.completions import completed

Here = Annotated[bool, typer.Option("--here", help="carry it out in this process, without a controller")]
Revision = Annotated[str, typer.Option(help="a commit, tag or branch; else the source's branch")]
Source = Annotated[
    str, typer.Option(help="a PolicySource: its name, or a file", autocompletion=completed("sources"))
]
Wave = Annotated[
    int | None,
    typer.Option(
        help="a wave that is still ahead; else the one that waits for approval",
        autocompletion=completed("waves"),
    ),
]
Hurry = Annotated[
    bool,
    typer.Option(
        "--emergency",
        help="skip what the source allows to be skipped for a hotfix, never the analysis; takes -m and a right of its own",
    ),
]
Why = Annotated[str, typer.Option("-m", "--message", "--reason", help="why, for the record", metavar="WHY")]


@app.command(epilog="Example: netpol-canary plan --source payments --revision 4f1c2d9")
@on_cluster(secrets=True)
def plan(
    target: Target,
    path: Annotated[
        Path | None, typer.Argument(help="a directory instead of the source's repository")
    ] = None,
    source: Source = "",
    revision: Revision = "",
    sandbox: Annotated[bool, typer.Option(help="against the demo's shop, without a cluster")] = False,
    diff: Annotated[bool, typer.Option(help="show each object's YAML diff")] = True,
    output: Output = "",
) -> int:
    """Show what would change, namespace by namespace and wave by wave; nothing is written."""
    from orchestrator.cli.rollouts import show_plan

    return show_plan.show(target, path, source, revision, sandbox, output, diff)


@app.command(epilog="Example: netpol-canary run --source source.yaml --revision main")
@on_cluster(secrets=True)
def run(
    target: Target,
    source: Source,
    revision: Revision = "",
    emergency: Hurry = False,
    message: Annotated[
        str, typer.Option("-m", "--message", help="why, with --emergency", metavar="WHY")
    ] = "",
    output: Output = "",
) -> int:
    """Run one rollout to its end in this process, with live progress."""
    from orchestrator.cli.rollouts import run as running

    return running.run(target, source, revision, output, emergency, message)


@app.command(epilog="Example: netpol-canary get rollouts -o wide")
@on_cluster()
def get(
    target: Target,
    what: Annotated[
        str,
        typer.Argument(
            help="rollouts, sources, namespaces, analyses, approvals or freezes, or a short name of kubectl's, such as prol; "
            "or KIND/NAME",
            metavar="WHAT",
            autocompletion=completed("kinds"),
        ),
    ] = "rollouts",
    names: Annotated[
        list[str] | None,
        typer.Argument(help="some of them", metavar="NAME", autocompletion=completed("objects")),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="wide, name, json, yaml, jsonpath=TEMPLATE or custom-columns=TITLE:PATH,…",
            metavar="FORMAT",
        ),
    ] = "",
    labels: Annotated[
        str, typer.Option("-l", "--selector", help="those with these labels: a=b,c!=d", metavar="SELECTOR")
    ] = "",
    everywhere: Annotated[bool, typer.Option("-A", "--all-namespaces", help="of every namespace")] = False,
    sort_by: Annotated[
        str, typer.Option("--sort-by", help="a JSONPath, such as .metadata.name", metavar="PATH")
    ] = "",
    no_headers: Annotated[bool, typer.Option("--no-headers", help="without the line of titles")] = False,
    follow: Annotated[
        bool, typer.Option("-w", "--watch", help="then each of them again when it changes")
    ] = False,
) -> int:
    """List rollouts, or what belongs to them; what waits for a person stands first."""
    from orchestrator.cli.rollouts import get as looking

    asked = looking.Asked(
        what, tuple(names or ()), output, labels, everywhere, sort_by, not no_headers, follow
    )
    return looking.get(target, asked)


@app.command(epilog="Example: netpol-canary describe payments-4f1c2d9e01")
@on_cluster()
def describe(target: Target, name: Name) -> int:
    """Show a rollout: its waves, the evidence, and what happened when."""
    from orchestrator.cli.rollouts import describe as describing

    return describing.describe(target, name)


@app.command(epilog="Example: netpol-canary explain payments")
@on_cluster()
def explain(target: Target, name: Name, output: Output = "") -> int:
    """Say why a rollout was rolled back or waits, and what was predicted, probed and measured."""
    from orchestrator.cli.rollouts import explain as explaining

    return explaining.explain(target, name, output)


@app.command(epilog="Example: netpol-canary watch payments")
@on_cluster()
def watch(
    target: Target,
    name: Name,
    timeout: Annotated[float, typer.Option(help="give up after so many seconds")] = 3600.0,
) -> int:
    """Follow a rollout: one live view on a terminal until it ends, a log elsewhere.

    The log ends where a person is waited for, too.
    """
    from orchestrator.cli.live import watching

    return watching.watch(target, name, timeout)


@app.command(epilog="Example: netpol-canary pause payments")
@on_cluster()
def pause(target: Target, name: Name, dry_run: DryRun = "") -> int:
    """Pause a running rollout where it is."""
    from orchestrator.cli.rollouts import interventions

    return interventions.ask(target, "pause", name, False, dry_run)


@app.command(epilog="Example: netpol-canary resume payments")
@on_cluster()
def resume(target: Target, name: Name, here: Here = False, dry_run: DryRun = "") -> int:
    """Resume a paused rollout; an inconclusive analysis starts over."""
    from orchestrator.cli.rollouts import interventions

    return interventions.ask(target, "resume", name, here, dry_run)


@app.command(epilog="Example: netpol-canary approve payments -m 'checked with the on-call'")
@on_cluster()
def approve(
    target: Target,
    name: Name,
    message: Why,
    wave: Wave = None,
    break_glass: Annotated[
        bool,
        typer.Option("--break-glass", help="open every gate of the wave alone; takes a right of its own"),
    ] = False,
    here: Here = False,
    dry_run: DryRun = "",
) -> int:
    """Approve a wave, in your own name; the API server proves who you are."""
    from orchestrator.cli.rollouts.interventions import Decision, decide

    return decide(target, name, Decision("approve", message, wave, break_glass), here, dry_run)


@app.command(epilog="Example: netpol-canary reject payments -m 'not before the sale'")
@on_cluster()
def reject(
    target: Target, name: Name, message: Why, wave: Wave = None, here: Here = False, dry_run: DryRun = ""
) -> int:
    """Reject a wave, in your own name: the rollout is rolled back."""
    from orchestrator.cli.rollouts.interventions import Decision, decide

    return decide(target, name, Decision("reject", message, wave), here, dry_run)


@app.command(epilog="Example: netpol-canary promote payments -m 'checked with the on-call'")
@on_cluster()
def promote(
    target: Target,
    name: Name,
    reject: Annotated[bool, typer.Option("--reject", help="say no: everything is rolled back")] = False,
    comment: Annotated[
        str,
        typer.Option(
            "-m",
            "--message",
            "--reason",
            "--comment",
            help="why, for the record; medium and high risk take it",
            metavar="WHY",
        ),
    ] = "",
    emergency: Hurry = False,
    here: Here = False,
    dry_run: DryRun = "",
) -> int:
    """Approve the wave that waits for approval, in your own name; `approve` and `reject` say more.

    With --emergency, declare a hotfix an emergency instead, whatever it waits for; gates go on asking for approvals.
    """
    from orchestrator.cli.rollouts.interventions import Decision, decide, hurry
    from orchestrator.errors import BadInput

    if emergency and reject:
        raise BadInput("an emergency is no rejection", "--reject", "say one of both")
    if emergency:
        return hurry(target, name, comment, here, dry_run)
    return decide(target, name, Decision("reject" if reject else "approve", comment), here, dry_run)


@app.command(epilog="Example: netpol-canary abort payments")
@on_cluster()
def abort(target: Target, name: Name, here: Here = False, dry_run: DryRun = "") -> int:
    """Abort a running rollout and roll it back."""
    from orchestrator.cli.rollouts import interventions

    return interventions.ask(target, "abort", name, here, dry_run)


@app.command(epilog="Example: netpol-canary retry payments")
@on_cluster()
def retry(target: Target, name: Name, here: Here = False, dry_run: DryRun = "") -> int:
    """Release the revision that is blocked after a rollback."""
    from orchestrator.cli.rollouts import interventions

    return interventions.retry(target, name, here, dry_run)


@app.command(epilog="Example: netpol-canary rollback payments")
@on_cluster()
def rollback(target: Target, name: Name, here: Here = False, dry_run: DryRun = "") -> int:
    """Roll back what the latest, succeeded rollout changed; older states are a Git revert."""
    from orchestrator.cli.rollouts import interventions

    return interventions.ask(target, "rollback", name, here, dry_run)
