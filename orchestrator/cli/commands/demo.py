"""`demo`: what the program does, in a shop in memory."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import Output, app
from orchestrator.errors import BadInput


@app.command(epilog="Example: netpol-canary demo --scenario breaks-checkout")
def demo(
    scenario: Annotated[
        str,
        typer.Option(help="good-change, breaks-checkout, cuts-scrape, cilium, pods, expand or cluster-wide"),
    ] = "",
    output: Output = "",
    keep: Annotated[Path | None, typer.Option(help="keep the Git repository in this new directory")] = None,
    report: Annotated[
        Path | None, typer.Option(help="write each rollout's report into this directory", metavar="DIR")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="open the web pages over the shop")] = False,
    listen: Annotated[str, typer.Option(help="where --serve answers")] = "127.0.0.1:8080",
    merge: Annotated[
        str, typer.Option(help="good or bad: merge such a change into the repository that --keep names")
    ] = "",
) -> None:
    """Show a good change promoted and three bad ones rolled back, in a shop in memory."""
    if (serve or merge) and (scenario or output or report or (serve and merge)):
        raise BadInput("--serve and --merge go each alone, with --keep at most", hint="leave the rest out")
    if serve:
        from orchestrator.cli.demo import demo_server

        return demo_server.serve(listen, keep)
    if merge:
        from orchestrator.cli.demo import demo_changes

        print(demo_changes.merge(keep or Path(), merge))
        return None
    from orchestrator.cli.demo import show

    return show.demo(scenario, output, keep, report)
