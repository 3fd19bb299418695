"""`drift`: where the cluster differs from a source's last verified revision, and who made it so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, Output, SecretsDir, app
from orchestrator.errors import Forbidden, Refused

if TYPE_CHECKING:
    from orchestrator.context import Context
    from orchestrator.writing.stray_bridges import Stray


@app.command(epilog="Example: netpol-canary drift payments")
def drift(
    source: Annotated[str, typer.Argument(help="a source", metavar="SOURCE")],
    output: Output = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
    secrets: SecretsDir = None,
) -> int:
    """Compare the cluster with the last verified revision now; exit code 1 where it differs, policies are orphaned, or bridges are left."""
    from orchestrator.cli import wiring
    from orchestrator.cli.machine_output import aligned, formatted, printed
    from orchestrator.cli.rollouts import sources
    from orchestrator.planning.drift import drift as compared
    from orchestrator.planning.orphans import orphans
    from orchestrator.rollout.resources.objects import label
    from orchestrator.sources.prune import everything

    formatted(output)
    ctx = wiring.connected(wiring.Target(namespace, context, kubeconfig, secrets))
    given = sources.find(ctx, source)
    verified = given.status.verified_revision
    if not verified:
        raise Refused(
            f"the source {given.name} has no verified revision yet; `netpol-canary plan` shows what it would do"
        )
    found, left = compared(ctx, given, everything(ctx)), orphans(ctx, given)
    bridges = _bridges(ctx)
    if output:
        facts = [
            {"namespace": d.namespace, "object": d.object, "what": d.how, "by": d.by.text if d.by else ""}
            for d in found.differences
        ]
        told = {"source": given.name, "verifiedRevision": verified, "differences": facts}
        gone = [{"namespace": n, "objects": [label(o) for o in held]} for n, held in left.held.items()]
        stray = [{"bridge": s.label, "why": s.why} for s in bridges]
        printed({**told, "contested": list(found.contested), "orphaned": gone, "strayBridges": stray}, output)
    elif found.differences:
        rows = [[d.namespace, d.object, d.how, d.by.text if d.by else "-"] for d in found.differences]
        print("\n".join(aligned([["NAMESPACE", "OBJECT", "WHAT", "BY"], *rows])))
    else:
        print(f"{given.name}: as {verified[:10]} asks for")
    if not output:
        for text in found.contested:
            print(f"managed by others: {text}")
        if left.held:
            print(f"orphaned, since the source does not select them any more: {left.text}")
        for one in bridges:
            print(f"{one.text}; a controller or the guard deletes it within a minute")
    return 1 if found.differences or left.held or bridges else 0


def _bridges(ctx: Context) -> list[Stray]:
    """Of the whole cluster, which not everybody may read; what may be read is compared all the same."""
    from orchestrator.writing.stray_bridges import strays

    try:
        return strays(ctx)
    except Forbidden as error:
        print(f"whether bridges are left is not known: {error}", file=sys.stderr)
        return []
