"""The application that commands are declared on, and the options that they share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate

import typer

from orchestrator import __version__
from orchestrator.cli.completions import completed
from orchestrator.cli.confidential import request_lines

app = typer.Typer(
    name="netpol-canary",
    no_args_is_help=True,
    context_settings={"max_content_width": 120},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Roll out Kubernetes network policies from Git, namespace by namespace, and roll them back when they hurt.",
    epilog="Exit codes: 0 done, 1 rolled back, refused or not allowed, 2 bad input, 3 paused, or no answer from what is needed, "
    "4 the cluster differs from what it should be restored to, 70 a fault of netpol-canary itself, 130 interrupted.",
)

OWN = "netpol-canary"
Output = Annotated[str, typer.Option("-o", "--output", help="json or yaml, for machines")]
Name = Annotated[
    str,
    typer.Argument(
        help="a rollout, or a source for its latest one",
        metavar="NAME",
        autocompletion=completed("rollouts"),
    ),
]
Log = Annotated[str, typer.Option(help="json or console; else what suits standard error")]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error")]
DryRun = Annotated[
    str,
    typer.Option(
        "--dry-run", help="server: have the API server check it, and write nothing", metavar="server"
    ),
]
Cni = Annotated[
    str,
    typer.Option(
        "--cni",
        help="whose reading: generic, cilium, calico or another that docs/clusters.md names",
        metavar="PROFILE",
    ),
]
Flows = Annotated[
    Path | None, typer.Option(help="recorded flows: JSON lines, plain or Hubble's; - is standard input")
]
Workloads = Annotated[
    Path | None,
    typer.Option(
        "--workloads", help="a directory with the workloads, where they stand elsewhere", metavar="DIR"
    ),
]


@dataclass(frozen=True)
class Target:
    """Which cluster, the orchestrator's own namespace in it, and what probe pods run unless a strategy says it.

    `verbose` is a level of kubectl's: from 6 on each request is said, whomever it is for.
    """

    namespace: Annotated[
        str,
        typer.Option(
            "-n",
            "--namespace",
            help="the orchestrator's own namespace",
            envvar="NETPOL_CANARY_NAMESPACE",
            autocompletion=completed("namespaces"),
        ),
    ] = OWN
    context: Annotated[
        str,
        typer.Option("--context", help="the kubeconfig's context", autocompletion=completed("contexts")),
    ] = ""
    kubeconfig: Annotated[
        str, typer.Option("--kubeconfig", help="the kubeconfig file; else KUBECONFIG", metavar="FILE")
    ] = ""
    secrets: Annotated[
        Path | None, typer.Option("--secrets", help="a directory NAME/KEY in place of Secrets", metavar="DIR")
    ] = None
    probe_image: str = ""
    verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            help="say requests on standard error: 6 (or no number) each of them, 7 their headers, 8 to 10 what is in them",
            metavar="[LEVEL]",
            parser=request_lines.level,
            show_default=False,
        ),
    ] = 0


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", help="print the version", is_eager=True, callback=lambda v: _version(v)),
    ] = False,
) -> None:
    """What stands before the command."""


def _version(asked: bool) -> None:
    if asked:
        print(f"{OWN} {__version__}")
        raise typer.Exit


Command = Callable[Concatenate[Target, ...], int]


def on_cluster(*, namespace: bool = True, secrets: bool = False) -> Callable[[Command], Callable[..., int]]:
    """A command that is given a Target first; its fields are options, which stand behind the command's own."""
    fields = inspect.signature(Target, eval_str=True).parameters
    names = [*["namespace"] * namespace, "context", "kubeconfig", *["secrets"] * secrets, "verbose"]

    def decorate(command: Command) -> Callable[..., int]:
        @wraps(command)
        def run(**given: Any) -> int:
            target = Target(**{name: given.pop(name) for name in names})
            request_lines.begin(target.verbose)
            return command(target, **given)

        said = inspect.signature(command, eval_str=True)
        own = list(said.parameters.values())[1:]
        options = (fields[name] for name in names)
        run.__signature__ = said.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        return run

    return decorate
