"""What policies mean and what is wrong with them, before any cluster is touched."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.app import Cni, Flows, Target, Workloads, app, on_cluster
from orchestrator.errors import BadInput

Manifests = Annotated[Path | None, typer.Argument(help="a directory of manifests", metavar="[DIR]")]
Live = Annotated[
    bool, typer.Option("--cluster", help="the cluster's pods and policies instead of a directory")
]
Port = Annotated[str, typer.Option(help="8080 or 53/UDP")]


@app.command(epilog="Example: netpol-canary reach manifests --to shop/payments --port 8080")
@on_cluster(namespace=False)
def reach(
    target: Target,
    path: Manifests = None,
    src: Annotated[
        str, typer.Option("--from", help="a workload, a namespace, an address, external or internet")
    ] = "",
    dst: Annotated[str, typer.Option("--to", help="the same")] = "",
    port: Port = "",
    workloads: Workloads = None,
    cni: Cni = "generic",
    output: Annotated[str, typer.Option("-o", "--output", help="text, json, yaml, csv, dot or mermaid")] = "",
    exposure: Annotated[
        bool, typer.Option("--exposure", help="whom each workload would let in of pods that do not exist yet")
    ] = False,
    cluster: Live = False,
) -> int:
    """List which workloads may connect to which, by a directory's or the cluster's policies."""
    from orchestrator.cli.policies import exposed, fleets
    from orchestrator.cli.policies import reach as connections

    found = fleets.given(path, cluster, target, workloads, cni)
    if exposure:
        if src or dst or port:
            raise BadInput("--exposure says it of every workload", hint="leave --from, --to and --port out")
        return exposed.show(found, cni, output)
    return connections.reach(found, src, dst, port, cni, output)


@app.command(epilog="Example: netpol-canary why manifests --from web --to shop/payments --port 8080/TCP")
@on_cluster(namespace=False)
def why(
    target: Target,
    src: Annotated[str, typer.Option("--from", help="a workload, an address, external or internet")],
    dst: Annotated[str, typer.Option("--to", help="the same")],
    port: Port,
    path: Manifests = None,
    workloads: Workloads = None,
    cni: Cni = "generic",
    cluster: Live = False,
) -> int:
    """Say whether a connection is allowed, and which rules decide it; exit code 0 yes, 1 no, 3 depends."""
    from orchestrator.cli.policies import fleets
    from orchestrator.cli.policies.why import why

    found = fleets.given(path, cluster, target, workloads, cni)
    return why(found, src, dst, port, cni)


@app.command(epilog="Example: netpol-canary diff before after -o markdown")
@on_cluster()
def diff(
    target: Target,
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
) -> int:
    """Show the connections that a change gains, loses and alters, which rules do it, and what that means."""
    from orchestrator.cli.policies import diff as difference

    return difference.diff(before, after, path, cluster, workloads, cni, output, target)


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
    cni: Cni = "generic",
    workloads: Workloads = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", help="full, concise, json, yaml, sarif, github, junit or gitlab"),
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
    return linting.check(path, fail_on, config, version, workloads, output, base, cni)


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
        str,
        typer.Option(
            "-o", "--output", help="markdown, full, concise, json, yaml, sarif, github, junit or gitlab"
        ),
    ] = "",
    write: Annotated[
        list[str] | None,
        typer.Option(
            "--write", help="in a further format, into a file; may be repeated", metavar="FORMAT=FILE"
        ),
    ] = None,
    comment: Annotated[
        bool,
        typer.Option(
            "--comment",
            help="in GitHub Actions and GitLab CI: keep one comment on the pull request, by GITHUB_TOKEN or GITLAB_TOKEN",
        ),
    ] = False,
) -> int:
    """Check a pull request: new findings, intents, connections and risk; exit code 0, 1 (blocked) or 3 (a person has to review it)."""
    from orchestrator.cli.policies import check as checking

    asked = checking.Asked(path, base, max_risk, source, flows, workloads, cni)
    return checking.check(asked, output, write or (), comment)


@app.command("test", epilog="Example: netpol-canary test manifests -o junit > results.xml")
@on_cluster(namespace=False)
def intents(
    target: Target,
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
) -> int:
    """Check what must be reachable, and what must not: against a directory's policies, or with real connections."""
    if live and workloads:
        raise BadInput("--live takes the workloads that run", "--workloads", "leave it out")
    if live:
        from orchestrator.cli.intents import live_test

        return live_test.check(path, target, image, only or [], output)
    if image or only or target.context or target.kubeconfig:
        raise BadInput(
            "--image, --only, --context and --kubeconfig ask a cluster", hint="give --live with them"
        )
    from orchestrator.cli.intents import policy_test

    return policy_test.check(path, workloads, cni, output)
