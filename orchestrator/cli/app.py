"""The application that commands are declared on, and the options that they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestrator.cli.wiring import Target

app = typer.Typer(
    name="netpol-canary",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Roll out Kubernetes network policies from Git, namespace by namespace, and back when they hurt.",
    epilog="Exit codes: 0 done, 1 rolled back, refused or not allowed, 2 bad input, 3 paused, or no answer from what is needed, "
    "4 the cluster differs from what it should be restored to, 70 a fault of netpol-canary itself, 130 interrupted.",
)

Output = Annotated[str, typer.Option("-o", "--output", help="json or yaml, for machines")]
Namespace = Annotated[
    str,
    typer.Option(
        "-n", "--namespace", help="the orchestrator's own namespace", envvar="NETPOL_CANARY_NAMESPACE"
    ),
]
ContextName = Annotated[str, typer.Option("--context", help="the kubeconfig's context")]
Kubeconfig = Annotated[
    str, typer.Option("--kubeconfig", help="the kubeconfig file; else KUBECONFIG", metavar="FILE")
]
SecretsDir = Annotated[
    Path | None, typer.Option("--secrets", help="a directory NAME/KEY in place of Secrets", metavar="DIR")
]
Name = Annotated[str, typer.Argument(help="a rollout, or a source for its latest one", metavar="NAME")]
Here = Annotated[bool, typer.Option("--here", help="carry it out in this process, without a controller")]
OWN = "netpol-canary"


def targeted(namespace: str, context: str, kubeconfig: str, secrets: Path | None = None) -> Target:
    from orchestrator.cli.wiring import Target

    return Target(namespace, context, kubeconfig, secrets)
