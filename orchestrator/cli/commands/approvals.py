"""The commands by which people decide on a wave: approve, reject."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Here, Kubeconfig, Name, Namespace, app

Wave = Annotated[
    int | None, typer.Option(help="a wave that is still ahead; else the one that waits for approval")
]
Why = Annotated[str, typer.Option("-m", "--message", "--reason", help="why, for the record", metavar="WHY")]


@app.command(epilog="Example: netpol-canary approve payments -m 'checked with the on-call'")
def approve(
    name: Name,
    message: Why,
    wave: Wave = None,
    break_glass: Annotated[
        bool,
        typer.Option("--break-glass", help="open every gate of the wave alone; takes a right of its own"),
    ] = False,
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Approve a wave, in your own name; the API server vouches for it."""
    from orchestrator.cli.rollouts import deciding
    from orchestrator.cli.wiring import Target
    from orchestrator.operations.approve import Decision

    what = Decision("approve", message, wave, break_glass)
    return deciding.decide(Target(namespace, context, kubeconfig), name, what, here)


@app.command(epilog="Example: netpol-canary reject payments -m 'not before the sale'")
def reject(
    name: Name,
    message: Why,
    wave: Wave = None,
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Say no to a wave, in your own name: the rollout ends, and everything is put back."""
    from orchestrator.cli.rollouts import deciding
    from orchestrator.cli.wiring import Target
    from orchestrator.operations.approve import Decision

    return deciding.decide(
        Target(namespace, context, kubeconfig), name, Decision("reject", message, wave), here
    )
