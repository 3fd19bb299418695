"""`freeze`, `unfreeze`, `stop` and `start`: who may open waves, and from when; rollbacks are never stopped."""

from typing import Annotated

import typer

from orchestrator.cli.app import DryRun, Target, app, on_cluster
from orchestrator.cli.completions import completed

Why = Annotated[str, typer.Option("-m", "--message", help="why, for everybody who waits")]


@app.command(epilog="Example: netpol-canary freeze payments -m 'end of the quarter' --for 2d")
@on_cluster()
def freeze(
    target: Target,
    source: Annotated[
        str,
        typer.Argument(
            help="a source; all of them without one", metavar="[SOURCE]", autocompletion=completed("sources")
        ),
    ] = "",
    message: Why = "",
    begin: Annotated[
        str,
        typer.Option(
            "--from", help="a time such as 2026-12-23T18:00+01:00 (without a zone the machine's); else now"
        ),
    ] = "",
    until: Annotated[str, typer.Option(help="a time; else until `netpol-canary unfreeze`")] = "",
    span: Annotated[str, typer.Option("--for", help="30m, 2h, 1d12h, 2w, instead of --until")] = "",
    dry_run: DryRun = "",
) -> int:
    """Keep waves from opening, of one source or of all; an open wave finishes, and rollbacks go on."""
    from orchestrator.cli.rollouts import freezing

    return freezing.freeze(target, source, message, begin, until, span, dry_run)


@app.command(epilog="Example: netpol-canary unfreeze payments-3f2a91")
@on_cluster()
def unfreeze(
    target: Target,
    name: Annotated[
        str,
        typer.Argument(
            help="a freeze; `netpol-canary get freezes` lists them", autocompletion=completed("freezes")
        ),
    ],
    dry_run: DryRun = "",
) -> int:
    """End a freeze: rollouts that wait for it go on."""
    from orchestrator.cli.rollouts import freezing

    return freezing.unfreeze(target, name, dry_run)


@app.command(epilog="Example: netpol-canary stop -m 'INC-42: nobody promotes until we know more'")
@on_cluster()
def stop(
    target: Target,
    message: Why = "",
    dry_run: DryRun = "",
) -> int:
    """Stop all promotions, of every source, until `start`; rollbacks go on."""
    from orchestrator.cli.rollouts import freezing

    return freezing.stop(target, message, dry_run)


@app.command(epilog="Example: netpol-canary start")
@on_cluster()
def start(target: Target, dry_run: DryRun = "") -> int:
    """End what `stop` began."""
    from orchestrator.cli.rollouts import freezing

    return freezing.unfreeze(target, dry_run=dry_run)
