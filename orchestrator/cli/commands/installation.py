"""The commands `install` and `uninstall`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Output, app
from orchestrator.errors import BadInput

Image = Annotated[
    str, typer.Option(help="what every pod runs, as you built it", envvar="NETPOL_CANARY_IMAGE")
]


@app.command(epilog="Example: netpol-canary install --image registry.example.com/netpol-canary:0.1.0 --apply")
def install(
    image: Image = "netpol-canary:0.1.0",
    extras: Annotated[
        str, typer.Option("--with", help="further parts: argo, archive, monitoring, network", metavar="PARTS")
    ] = "",
    probes: Annotated[
        list[str] | None,
        typer.Option(
            "--probe-image",
            metavar="IMAGE",
            help="one more that probe pods may run, as a source's analysis.probing.image names it; may be repeated",
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="apply it, after --check")] = False,
    check: Annotated[bool, typer.Option("--check", help="only say what the cluster offers")] = False,
    output: Output = "",
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Print the manifests of an installation, for kubectl or for Git; or apply them, or look at the cluster first."""
    from orchestrator.cli.operate import install as work

    if apply and check:
        raise BadInput("--apply looks at the cluster by itself", "--check", "leave one of them out")
    if output and not check:
        raise BadInput("it goes with --check", "-o", "leave it out")
    if check:
        return work.check(kubeconfig, context, OWN, output)
    parts = [part.strip() for part in extras.split(",") if part.strip()]
    if apply:
        return work.apply(kubeconfig, context, OWN, image, parts, probes or [])
    return work.render(image, parts, probes or [])


@app.command(epilog="Example: netpol-canary uninstall --restore --yes")
def uninstall(
    restore: Annotated[
        bool, typer.Option("--restore", help="put back what is under way first, and wait for it")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    timeout: Annotated[float, typer.Option(help="seconds that --restore waits for", min=1)] = 300.0,
    lose: Annotated[
        list[str] | None,
        typer.Option(
            "--lose",
            metavar="ROLLOUT",
            help="a Failed rollout that is given up: what stands stays; may be repeated",
        ),
    ] = None,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Take everything out of the cluster but the promoted policies; refuses while something is not restored."""
    from orchestrator.cli.operate import uninstall as work
    from orchestrator.cli.wiring import Target

    return work.uninstall(Target(OWN, context, kubeconfig), restore, yes, timeout, lose or [])
