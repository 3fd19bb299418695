"""What an installation takes: `install`, `uninstall`, `crds`, and `completion` for the shell."""

from typing import Annotated

import typer

from orchestrator.cli.app import OWN, Output, Target, app, on_cluster
from orchestrator.cli.completions import completed
from orchestrator.errors import BadInput

Image = Annotated[
    str, typer.Option(help="what every pod runs, as you built it", envvar="NETPOL_CANARY_IMAGE")
]


@app.command(epilog="Example: netpol-canary install --image registry.example.com/netpol-canary:0.1.0 --apply")
@on_cluster(namespace=False)
def install(
    target: Target,
    image: Image = "netpol-canary:0.1.0",
    extras: Annotated[
        str,
        typer.Option(
            "--with",
            help="further parts: argo, archive, monitoring, network, podlabels, and kinds of policies that may be "
            "written, such as ciliumnetworkpolicies (config/kinds)",
            metavar="PARTS",
        ),
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
) -> int:
    """Print the manifests of an installation, for kubectl or for Git; or apply them, or check the cluster first."""
    from orchestrator.cli.operate import install as work

    if apply and check:
        raise BadInput("--apply checks the cluster by itself", "--check", "leave one of them out")
    if output and not check:
        raise BadInput("it goes with --check", "-o", "leave it out")
    if check:
        return work.check(target, output)
    parts = [part.strip() for part in extras.split(",") if part.strip()]
    if apply:
        return work.apply(target, image, parts, probes or [])
    return work.render(image, parts, probes or [])


@app.command(epilog="Example: netpol-canary uninstall --restore --yes")
@on_cluster(namespace=False)
def uninstall(
    target: Target,
    restore: Annotated[
        bool, typer.Option("--restore", help="roll back what is under way first, and wait for it")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    timeout: Annotated[float, typer.Option(help="seconds that --restore waits for", min=1)] = 300.0,
    lose: Annotated[
        list[str] | None,
        typer.Option(
            "--lose",
            metavar="ROLLOUT",
            autocompletion=completed("rollouts"),
            help="a Failed rollout that is given up: what stands stays; may be repeated",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="only say whether everything is restored; remove nothing")
    ] = False,
) -> int:
    """Remove everything from the cluster but the promoted policies; refuses while something is not restored."""
    from orchestrator.cli.operate import uninstall as work

    if check and (restore or yes or lose):
        raise BadInput("it removes nothing", "--check", "give it alone")
    if check:
        return work.check(target)
    return work.uninstall(target, restore, yes, timeout, lose or [])


@app.command(epilog="Example: netpol-canary crds | kubectl apply -f -")
def crds() -> None:
    """Print the CustomResourceDefinitions."""
    from orchestrator.rollout.resources.crd import files

    print("---\n".join(text for name, text in files().items() if name != "kustomization.yaml"), end="")


@app.command(epilog="Example: netpol-canary completion bash > /etc/bash_completion.d/netpol-canary")
def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh, fish or powershell", metavar="SHELL")],
) -> None:
    """Print the shell's completion script."""
    from typer._completion_shared import get_completion_script

    if shell not in ("bash", "zsh", "fish", "powershell"):
        raise BadInput(f"the shell {shell} is not known", hint="take bash, zsh, fish or powershell")
    print(get_completion_script(prog_name=OWN, complete_var="_NETPOL_CANARY_COMPLETE", shell=shell))
