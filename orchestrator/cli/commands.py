"""The commands, each with its options and an example; what they do stands in the files beside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.main import app

Output = Annotated[str, typer.Option("-o", "--output", help="json or yaml, for machines")]


@app.command(epilog="Example: netpol-canary demo --scenario breaks-checkout")
def demo(
    scenario: Annotated[str, typer.Option(help="good-change, breaks-checkout or cuts-scrape")] = "",
    output: Output = "",
    keep: Annotated[Path | None, typer.Option(help="keep the Git repository in this new directory")] = None,
) -> None:
    """Show a good change promoted and two bad ones rolled back, in a shop in memory."""
    from orchestrator.cli import show

    show.demo(scenario, output, keep)


@app.command(epilog="Example: netpol-canary crds | kubectl apply -f -")
def crds() -> None:
    """Print the CustomResourceDefinitions."""
    from orchestrator.rollout.crd import files

    print("---\n".join(text for name, text in files().items() if name != "kustomization.yaml"), end="")
