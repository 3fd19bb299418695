"""`poll`: have a source's repository looked at now."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, app
from orchestrator.errors import Forbidden


@app.command(epilog="Example: netpol-canary poll payments")
def poll(
    source: Annotated[str, typer.Argument(help="a PolicySource", metavar="SOURCE")],
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Have the controller look at a source's repository at once; what runs is what Git says."""
    from orchestrator.cli import wiring
    from orchestrator.cli.process import worked_on
    from orchestrator.cli.rollouts import sources
    from orchestrator.cli.wiring import Target
    from orchestrator.operations import poll as request

    ctx = wiring.connected(Target(namespace, context, kubeconfig))
    found = sources.standing(ctx, source)
    try:
        request.look(ctx, found.name)
    except Forbidden as error:
        text = f"{error}; whoever may update policysources can ask for a look, and a webhook can"
        raise Forbidden(text, error.status) from None
    if worked_on(ctx, "controller"):
        print(f"{found.name}: the controller looks at its repository within seconds")
    else:
        print(f"{found.name}: asked for; no controller runs at the moment, the next one looks when it starts")
    return 0
