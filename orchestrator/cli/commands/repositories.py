"""What a repository of policies begins with: `init`, and `schema` for its editors."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import Target, app, on_cluster


@app.command(epilog="Example: netpol-canary init --name payments --namespaces cart,checkout --cluster")
@on_cluster(namespace=False)
def init(
    target: Target,
    name: Annotated[str, typer.Option(help="what the source is called")] = "",
    repository: Annotated[
        str, typer.Option(help="where the cluster fetches it; else the remote origin", metavar="URL")
    ] = "",
    namespaces: Annotated[str, typer.Option(help="which it may write to, separated by commas")] = "",
    selector: Annotated[
        str, typer.Option(help="the labels of namespaces that it may write to: team=shop,tier=web")
    ] = "",
    canary: Annotated[
        str, typer.Option(help="the namespaces of the first wave; else the first of --namespaces")
    ] = "",
    host: Annotated[str, typer.Option(help="whose CI: github or gitlab; else as the URL says")] = "",
    private: Annotated[
        bool, typer.Option("--private", help="nobody reads the repository without credentials")
    ] = False,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="begin with the workloads and policies of the kubeconfig's cluster"),
    ] = False,
    directory: Annotated[Path, typer.Option(help="the root of the repository", metavar="DIR")] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="replace files that are there")] = False,
) -> int:
    """Write a commented PolicySource, a first PolicyTest and a CI file; on a terminal, ask for what is missing."""
    from orchestrator.cli.repositories.new_options import Given
    from orchestrator.cli.repositories.new_repository import init as begin

    given = Given(name, repository, namespaces, selector, canary, host, private)
    return begin(directory, given, force, target if cluster else None)


@app.command(epilog="Example: netpol-canary schema --to .netpol-canary/schemas")
def schema(
    kind: Annotated[
        str,
        typer.Argument(help="policysource, policytest, lint, settings or rolloutfreeze", metavar="[KIND]"),
    ] = "",
    to: Annotated[
        Path | None, typer.Option("--to", help="write it here as a file; without KIND all", metavar="DIR")
    ] = None,
) -> int:
    """Print the JSON Schema by which an editor completes and checks a file, or write all of them."""
    from orchestrator.cli.repositories import editor_schemas

    return editor_schemas.show(kind, to)
