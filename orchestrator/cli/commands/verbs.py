"""The commands, each with its options and an example; what they do stands in the files beside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import (
    OWN,
    ContextName,
    Here,
    Kubeconfig,
    Name,
    Namespace,
    Output,
    SecretsDir,
    app,
    targeted,
)
from orchestrator.errors import BadInput


@app.command(epilog="Example: netpol-canary demo --scenario breaks-checkout")
def demo(
    scenario: Annotated[str, typer.Option(help="good-change, breaks-checkout or cuts-scrape")] = "",
    output: Output = "",
    keep: Annotated[Path | None, typer.Option(help="keep the Git repository in this new directory")] = None,
    report: Annotated[
        Path | None, typer.Option(help="write each rollout's report into this directory", metavar="DIR")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="open the web pages over the shop")] = False,
    listen: Annotated[str, typer.Option(help="where --serve answers")] = "127.0.0.1:8080",
    merge: Annotated[
        str, typer.Option(help="good or bad: merge such a change into the repository that --keep names")
    ] = "",
) -> None:
    """Show a good change promoted and two bad ones rolled back, in a shop in memory."""
    if (serve or merge) and (scenario or output or report or (serve and merge)):
        raise BadInput("--serve and --merge go each alone, with --keep at most", hint="leave the rest out")
    if serve:
        from orchestrator.cli.demo import demo_server

        return demo_server.serve(listen, keep)
    if merge:
        from orchestrator.cli.demo import demo_changes

        print(demo_changes.merge(keep or Path(), merge))
        return None
    from orchestrator.cli.demo import show

    return show.demo(scenario, output, keep, report)


@app.command(epilog="Example: netpol-canary plan --source payments --revision 4f1c2d9")
def plan(
    path: Annotated[
        Path | None, typer.Argument(help="a directory instead of the source's repository")
    ] = None,
    source: Annotated[str, typer.Option(help="a PolicySource: its name, or a file")] = "",
    revision: Annotated[str, typer.Option(help="a commit, tag or branch; else the source's branch")] = "",
    sandbox: Annotated[bool, typer.Option(help="against the demo's shop, without a cluster")] = False,
    diff: Annotated[bool, typer.Option(help="show each object's YAML diff")] = True,
    output: Output = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
    secrets: SecretsDir = None,
) -> int:
    """Show what would change, namespace by namespace and wave by wave; nothing is written."""
    from orchestrator.cli.rollouts import show_plan as planning

    target = targeted(namespace, context, kubeconfig, secrets)
    return planning.show(target, path, source, revision, sandbox, output, diff)


@app.command(epilog="Example: netpol-canary run --source source.yaml --revision main")
def run(
    source: Annotated[str, typer.Option(help="a PolicySource: its name, or a file")],
    revision: Annotated[str, typer.Option(help="a commit, tag or branch; else the source's branch")] = "",
    output: Output = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
    secrets: SecretsDir = None,
) -> int:
    """Roll one change out to its end in this process, with live progress."""
    from orchestrator.cli.rollouts import run as running

    return running.run(targeted(namespace, context, kubeconfig, secrets), source, revision, output)


@app.command(epilog="Example: netpol-canary get rollouts -o wide")
def get(
    what: Annotated[
        str,
        typer.Argument(help="rollouts, sources, namespaces, analyses, approvals or freezes", metavar="WHAT"),
    ] = "rollouts",
    name: Annotated[str, typer.Argument(help="one of them", metavar="NAME")] = "",
    output: Annotated[str, typer.Option("-o", "--output", help="wide, name, json or yaml")] = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """List rollouts, or what belongs to them."""
    from orchestrator.cli.rollouts import get as inspect

    return inspect.get(targeted(namespace, context, kubeconfig), what, name, output)


@app.command(epilog="Example: netpol-canary describe payments-4f1c2d9e01")
def describe(
    name: Name, namespace: Namespace = OWN, context: ContextName = "", kubeconfig: Kubeconfig = ""
) -> int:
    """Show a rollout: its waves, the evidence, and what happened when."""
    from orchestrator.cli.rollouts import describe as describing

    return describing.describe(targeted(namespace, context, kubeconfig), name)


@app.command(epilog="Example: netpol-canary explain payments")
def explain(
    name: Name,
    output: Output = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Say why a rollout was put back or stands still, and what was predicted, probed and seen."""
    from orchestrator.cli.rollouts import explain as explaining

    return explaining.explain(targeted(namespace, context, kubeconfig), name, output)


@app.command(epilog="Example: netpol-canary watch payments")
def watch(
    name: Name,
    timeout: Annotated[float, typer.Option(help="give up after so many seconds")] = 3600.0,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Follow a rollout until it ends or waits for a person."""
    from orchestrator.cli.rollouts import get as inspect

    return inspect.watch(targeted(namespace, context, kubeconfig), name, timeout)


def _ask(verb: str, name: str, here: bool, namespace: str, context: str, kubeconfig: str) -> int:
    from orchestrator.cli.rollouts import interventions

    return interventions.ask(targeted(namespace, context, kubeconfig), verb, name, here)


@app.command(epilog="Example: netpol-canary pause payments")
def pause(
    name: Name, namespace: Namespace = OWN, context: ContextName = "", kubeconfig: Kubeconfig = ""
) -> int:
    """Stop a running rollout where it is."""
    return _ask("pause", name, False, namespace, context, kubeconfig)


@app.command(epilog="Example: netpol-canary resume payments")
def resume(
    name: Name,
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Go on with a paused rollout; an inconclusive analysis starts over."""
    return _ask("resume", name, here, namespace, context, kubeconfig)


@app.command(epilog="Example: netpol-canary promote payments -m 'checked with the on-call'")
def promote(
    name: Name,
    reject: Annotated[bool, typer.Option("--reject", help="say no: everything is put back")] = False,
    comment: Annotated[
        str,
        typer.Option(
            "-m",
            "--message",
            "--reason",
            "--comment",
            help="why, for the record; medium and high risk take it",
            metavar="WHY",
        ),
    ] = "",
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Approve the wave that waits for approval, in your own name; `approve` and `reject` say more."""
    from orchestrator.cli.rollouts import deciding
    from orchestrator.operations.approve import Decision

    what = Decision("reject" if reject else "approve", comment)
    return deciding.decide(targeted(namespace, context, kubeconfig), name, what, here)


@app.command(epilog="Example: netpol-canary abort payments")
def abort(
    name: Name,
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """End a running rollout and put everything back."""
    return _ask("abort", name, here, namespace, context, kubeconfig)


@app.command(epilog="Example: netpol-canary retry payments")
def retry(
    name: Name,
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Release the revision that a source holds after a rollback."""
    from orchestrator.cli.rollouts import interventions

    return interventions.retry(targeted(namespace, context, kubeconfig), name, here)


@app.command(epilog="Example: netpol-canary rollback payments")
def rollback(
    name: Name,
    here: Here = False,
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Put back what the latest, succeeded rollout changed; older states are a Git revert."""
    return _ask("rollback", name, here, namespace, context, kubeconfig)


To = Annotated[Path | None, typer.Option("--to", help="a directory to write to", metavar="DIR")]
Flows = Annotated[
    Path | None, typer.Option(help="recorded flows: JSON lines, plain or Hubble's; - is standard input")
]

Workloads = Annotated[
    Path | None,
    typer.Option(
        "--workloads", help="a directory with the workloads, where they stand elsewhere", metavar="DIR"
    ),
]
Cni = Annotated[str, typer.Option("--cni", help="generic, calico, cilium or kube-router")]


Manifests = Annotated[Path | None, typer.Argument(help="a directory of manifests", metavar="[DIR]")]
Live = Annotated[
    bool, typer.Option("--cluster", help="the cluster's pods and policies instead of a directory")
]


@app.command(epilog="Example: netpol-canary reach manifests --to shop/payments --port 8080")
def reach(
    path: Manifests = None,
    src: Annotated[
        str, typer.Option("--from", help="a workload, a namespace, an address, external or internet")
    ] = "",
    dst: Annotated[str, typer.Option("--to", help="the same")] = "",
    port: Annotated[str, typer.Option(help="8080 or 53/UDP")] = "",
    workloads: Workloads = None,
    cni: Cni = "generic",
    output: Annotated[str, typer.Option("-o", "--output", help="text, json, yaml, csv, dot or mermaid")] = "",
    exposure: Annotated[
        bool, typer.Option("--exposure", help="whom each workload would let in of pods that do not exist yet")
    ] = False,
    cluster: Live = False,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """List which workloads may connect to which, by a directory's or the cluster's policies."""
    from orchestrator.cli.policies import exposed
    from orchestrator.cli.policies import reach as network

    found = network.given(path, cluster, targeted(OWN, context, kubeconfig), workloads)
    if exposure:
        if src or dst or port:
            raise BadInput("--exposure says it of every workload", hint="leave --from, --to and --port out")
        return exposed.show(found, cni, output)
    return network.reach(found, src, dst, port, cni, output)


@app.command(epilog="Example: netpol-canary why manifests --from web --to shop/payments --port 8080/TCP")
def why(
    src: Annotated[str, typer.Option("--from", help="a workload, an address, external or internet")],
    dst: Annotated[str, typer.Option("--to", help="the same")],
    port: Annotated[str, typer.Option(help="8080 or 53/UDP")],
    path: Manifests = None,
    workloads: Workloads = None,
    cni: Cni = "generic",
    cluster: Live = False,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Say whether a connection is allowed, and which rules decide it; exit code 0 yes, 1 no, 3 depends."""
    from orchestrator.cli.policies import reach as network
    from orchestrator.cli.policies.why import why

    found = network.given(path, cluster, targeted(OWN, context, kubeconfig), workloads)
    return why(found, src, dst, port, cni)


@app.command(epilog="Example: netpol-canary diff before after -o markdown")
def diff(
    before: Annotated[
        str, typer.Argument(help="a directory, or Git revisions such as main..HEAD", metavar="BEFORE")
    ],
    after: Annotated[str, typer.Argument(help="the other directory", metavar="[AFTER]")] = "",
    path: Annotated[Path, typer.Option(help="with revisions: the directory in the repository")] = Path("."),
    cluster: Annotated[
        bool, typer.Option("--cluster", help="what the directory's policies would change in the cluster")
    ] = False,
    cni: Cni = "generic",
    workloads: Workloads = None,
    output: Annotated[str, typer.Option("-o", "--output", help="text, json, yaml, csv or markdown")] = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Show the connections that a change gains, loses and alters, which rules do it, and what that means."""
    from orchestrator.cli.policies import diff as difference

    target = targeted(namespace, context, kubeconfig)
    return difference.diff(before, after, path, cluster, workloads, namespace, cni, output, target)


@app.command(epilog="Example: netpol-canary lint manifests --fail-on warning -o github")
def lint(
    path: Annotated[Path | None, typer.Argument(help="a directory of manifests", metavar="DIR")] = None,
    explain: Annotated[str, typer.Option(help="what a rule looks for, and why", metavar="ID")] = "",
    fail_on: Annotated[
        str, typer.Option(help="exit with 1 from this severity: info, warning, error, never")
    ] = "error",
    config: Annotated[
        Path | None, typer.Option(help="severities by rule; else .netpol-canary.yaml in the directory")
    ] = None,
    version: Annotated[
        str, typer.Option("--kubernetes-version", help="whose schemas, such as 1.34; else the newest known")
    ] = "",
    workloads: Workloads = None,
    output: Annotated[
        str, typer.Option("-o", "--output", help="text, json, yaml, sarif, github, junit or gitlab")
    ] = "",
    base: Annotated[
        str,
        typer.Option(help="only what is new since the branch parted from this revision", metavar="REVISION"),
    ] = "",
) -> int:
    """Find what is probably wrong with the policies of a directory."""
    from orchestrator.cli.policies import lint as linting

    if explain:
        return linting.explain(explain)
    if path is None:
        raise BadInput("there is nothing to look at", hint="give a directory")
    return linting.check(path, fail_on, config, version, workloads, output, base)


@app.command(epilog="Example: netpol-canary check manifests --base origin/main > summary.md")
def check(
    path: Annotated[Path, typer.Argument(help="a directory of manifests in a Git repository", metavar="DIR")],
    base: Annotated[str, typer.Option(help="the revision to compare with")],
    max_risk: Annotated[
        str,
        typer.Option(
            help="let pass up to none, low, medium or high, and block above; else medium exits with 3"
        ),
    ] = "",
    source: Annotated[
        str, typer.Option(help="a PolicySource file whose strategy.risk says what is risky")
    ] = "",
    flows: Flows = None,
    cni: Cni = "generic",
    workloads: Workloads = None,
    output: Annotated[
        str, typer.Option("-o", "--output", help="markdown, json, yaml, sarif, github, junit or gitlab")
    ] = "",
) -> int:
    """Check a pull request: new findings, intents, connections and risk; exit code 0, 1 (blocked) or 3 (a person has to look)."""
    from orchestrator.cli.policies import check as checking

    return checking.check(path, base, max_risk, source, flows, workloads, cni, output)


@app.command("test", epilog="Example: netpol-canary test manifests -o junit > results.xml")
def intents(
    path: Annotated[Path, typer.Argument(help="a directory of manifests with PolicyTests", metavar="DIR")],
    cni: Cni = "generic",
    workloads: Workloads = None,
    output: Annotated[str, typer.Option("-o", "--output", help="text, json, yaml or junit")] = "",
    live: Annotated[
        bool, typer.Option("--live", help="by real connections in the cluster, whatever its policies are")
    ] = False,
    image: Annotated[
        str, typer.Option(help="with --live: what probe pods run; else NETPOL_CANARY_PROBE_IMAGE")
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="with --live: a namespace to probe from; may be repeated"),
    ] = None,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Check what must be reachable, and what must not: against a directory's policies, or with real connections."""
    if live and workloads:
        raise BadInput("--live takes the workloads that run", "--workloads", "leave it out")
    if live:
        from orchestrator.cli.intents import live_test

        return live_test.check(path, targeted(OWN, context, kubeconfig), image, only or [], output)
    if image or only or context or kubeconfig:
        raise BadInput(
            "--image, --only, --context and --kubeconfig ask a cluster", hint="give --live with them"
        )
    from orchestrator.cli.intents import policy_test

    return policy_test.check(path, workloads, cni, output)


@app.command(epilog="Example: netpol-canary generate manifests --to policies")
def generate(
    path: Annotated[Path, typer.Argument(help="a directory of service definitions", metavar="DIR")],
    flows: Flows = None,
    to: To = None,
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
    workloads: Workloads = None,
    cni: Cni = "generic",
    output: Annotated[str, typer.Option("-o", "--output", help="of --check: text, json or yaml")] = "",
) -> int:
    """Write default-deny and the exceptions that Services, addresses, Ingresses and monitors ask for."""
    from orchestrator.cli.policies import generate as generating
    from orchestrator.policy.definitions.services import Platform

    ranges = tuple(generating.range_of(text, "--nodes") for text in nodes or [])
    servers = tuple(generating.range_of(text, "--api-server") for text in api_server or [])
    platform = Platform(ingress_namespace, monitoring_namespace, ranges, servers, gateway_namespace)
    if check:
        if to is not None or flows is not None:
            raise BadInput(
                "--check writes nothing and reads no flows",
                hint="leave --to and --flows out; replay checks flows",
            )
        from orchestrator.cli.policies import check_needed

        return check_needed.check(path, workloads, platform, cni, output)
    if workloads is not None or output or cni != "generic":
        raise BadInput("--workloads, --cni and -o are of --check", hint="give --check with them")
    return generating.generate(path, flows, to, platform)


@app.command("import", epilog="Example: netpol-canary import --cluster --to policies")
def take(
    to: Annotated[Path, typer.Option("--to", help="a directory to write to", metavar="DIR")],
    cluster: Annotated[bool, typer.Option("--cluster", help="from the cluster of the kubeconfig")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="a namespace; may be repeated")] = None,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
) -> int:
    """Write the policies that stand in a cluster as a repository for a source."""
    from orchestrator.cli.policies import generate as generating

    if not cluster:
        raise BadInput("import from where?", hint="give --cluster")
    return generating.take(to, only or [], targeted(OWN, context, kubeconfig))


@app.command(epilog="Example: netpol-canary replay manifests --flows flows.jsonl")
def replay(
    path: Annotated[Path, typer.Argument(help="a directory of manifests", metavar="DIR")],
    flows: Annotated[
        Path, typer.Option(help="recorded flows: JSON lines, plain or Hubble's; - is standard input")
    ],
    cni: Cni = "generic",
    workloads: Workloads = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="exit with 2 where a recorded end is not among the workloads")
    ] = False,
    output: Annotated[str, typer.Option("-o", "--output", help="text, json or yaml")] = "",
) -> int:
    """Say which recorded connections a directory's policies would cut."""
    from orchestrator.cli.policies import replay as replaying

    return replaying.replay(path, flows, workloads, cni, output, strict)


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
