"""The commands that read the record: `history`, `report`, `export`."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import Target, app, on_cluster
from orchestrator.cli.completions import completed

Source = Annotated[str, typer.Option(help="of this PolicySource only", autocompletion=completed("sources"))]


@app.command(epilog="Example: netpol-canary history --source payments --outcome rolledback --since 30d")
@on_cluster()
def history(
    target: Target,
    source: Source = "",
    touched: Annotated[
        str, typer.Option("--touched", help="that change this namespace; * stands for anything")
    ] = "",
    person: Annotated[str, typer.Option(help="by this author or decider: a part of the name")] = "",
    commit: Annotated[str, typer.Option(help="whose revision begins so")] = "",
    outcome: Annotated[
        str, typer.Option(help="succeeded, rolledback, failed, superseded, paused or running")
    ] = "",
    since: Annotated[str, typer.Option(help="so far back: 12h, 7d, 4w, or a date", metavar="TIME")] = "",
    output: Annotated[str, typer.Option("-o", "--output", help="wide, name, csv, html, json or yaml")] = "",
    archive: Annotated[
        Path | None, typer.Option("--from", help="of archived rollouts instead", metavar="DIR")
    ] = None,
) -> int:
    """List past rollouts, with rates and latencies over time."""
    from orchestrator.cli.records import history as past

    asked = past.Asked(source, touched, person, commit, outcome, since)
    return past.show(target, asked, output, archive)


@app.command(epilog="Example: netpol-canary report payments -o html --to postmortem.html")
@on_cluster()
def report(
    target: Target,
    name: Annotated[
        str,
        typer.Argument(
            help="a rollout, or a source for its latest one",
            metavar="[NAME]",
            autocompletion=completed("rollouts"),
        ),
    ] = "",
    form: Annotated[
        str, typer.Option("-o", "--output", "-f", "--format", help="markdown, html or json")
    ] = "markdown",
    to: Annotated[
        Path | None, typer.Option(help="write it there; else to standard output", metavar="FILE")
    ] = None,
    archive: Annotated[
        Path | None, typer.Option("--from", help="of an archived rollout, without a cluster", metavar="FILE")
    ] = None,
) -> int:
    """Write a rollout's report for a post-mortem: what happened, why, the evidence, the plots; json has everything."""
    from orchestrator.cli.records import report as postmortem

    return postmortem.write(target, name, form, to, archive)


@app.command(epilog="Example: netpol-canary export --source payments --to /archive")
@on_cluster()
def export(
    target: Target,
    to: Annotated[Path, typer.Option(help="the archive's directory", metavar="DIR")],
    source: Source = "",
) -> int:
    """Archive every finished rollout as a JSON file; what is there already is left alone."""
    from orchestrator.cli.records import archive_files

    return archive_files.export(target, source, to)
