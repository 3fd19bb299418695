"""The commands that write policies: `generate` from service definitions, `convert` from another API, `import` from a cluster."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import Cni, Flows, Target, Workloads, app, on_cluster
from orchestrator.errors import BadInput


@app.command(epilog="Example: netpol-canary generate manifests --to policies")
def generate(
    path: Annotated[Path, typer.Argument(help="a directory of service definitions", metavar="DIR")],
    flows: Flows = None,
    to: Annotated[Path | None, typer.Option("--to", help="a directory to write to", metavar="DIR")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="a namespace to write for; may be repeated")
    ] = None,
    ingress_namespace: Annotated[
        str, typer.Option(help="where the ingress controller runs")
    ] = "ingress-nginx",
    monitoring_namespace: Annotated[str, typer.Option(help="where Prometheus runs")] = "monitoring",
    gateway_namespace: Annotated[
        str,
        typer.Option(help="where the proxies of Gateways run, where that is not each Gateway's namespace"),
    ] = "",
    nodes: Annotated[
        list[str] | None,
        typer.Option(
            help="addresses of nodes, for what uses the host's network; may be repeated", metavar="RANGE"
        ),
    ] = None,
    api_server: Annotated[
        list[str] | None,
        typer.Option(
            help="addresses of the API server, for its webhooks and clients; may be repeated", metavar="RANGE"
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="say what the policies that DIR has would cut; write nothing")
    ] = False,
    kind: Annotated[
        str, typer.Option("--kind", help="the API of the policies: networkpolicy, cilium, calico or anp")
    ] = "networkpolicy",
    workloads: Workloads = None,
    cni: Cni = "generic",
    output: Annotated[str, typer.Option("-o", "--output", help="of --check: text, json or yaml")] = "",
) -> int:
    """Write default-deny and the exceptions that Services, addresses, Ingresses and monitors ask for."""
    from orchestrator.cli.authoring import generate as generating
    from orchestrator.policy.definitions.services import Platform

    ranges = tuple(generating.range_of(text, "--nodes") for text in nodes or [])
    servers = tuple(generating.range_of(text, "--api-server") for text in api_server or [])
    platform = Platform(ingress_namespace, monitoring_namespace, ranges, servers, gateway_namespace)
    if check:
        if to is not None or flows is not None or only or kind != "networkpolicy":
            raise BadInput(
                "--check writes nothing and reads no flows",
                hint="leave --to, --only, --kind and --flows out; replay checks flows",
            )
        from orchestrator.cli.policies import check_needed

        return check_needed.check(path, workloads, platform, cni, output)
    if workloads is not None or output or cni != "generic":
        raise BadInput("--workloads, --cni and -o are of --check", hint="give --check with them")
    return generating.generate(path, flows, to, platform, kind, only or [])


@app.command(epilog="Example: netpol-canary convert policies --to cilium --into cilium-policies")
def convert(
    path: Annotated[Path, typer.Argument(help="a directory of policies", metavar="DIR")],
    to: Annotated[
        str, typer.Option("--to", help="the API: networkpolicy, anp, cilium or calico", metavar="API")
    ],
    into: Annotated[
        Path | None, typer.Option("--into", help="a directory to write to", metavar="DIR")
    ] = None,
    workloads: Workloads = None,
) -> int:
    """Say policies in the words of another API, where it has them, and prove that no connection changes."""
    from orchestrator.cli.authoring import converting

    return converting.convert(path, to, into, workloads)


@app.command("import", epilog="Example: netpol-canary import --cluster --to policies")
@on_cluster(namespace=False)
def take(
    target: Target,
    to: Annotated[Path, typer.Option("--to", help="a directory to write to", metavar="DIR")],
    cluster: Annotated[bool, typer.Option("--cluster", help="from the cluster of the kubeconfig")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="a namespace; may be repeated")] = None,
) -> int:
    """Write the policies of a cluster, of every API that is known here, as a repository for a source."""
    from orchestrator.cli.authoring import importing

    if not cluster:
        raise BadInput("import from where?", hint="give --cluster")
    return importing.take(to, only or [], target)
