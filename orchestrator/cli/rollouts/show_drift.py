"""`drift`: where the cluster differs from a source's current revision, and who made it so."""

import sys

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.printing import formatted, printed, table
from orchestrator.cli.rollouts import sources
from orchestrator.context import Context
from orchestrator.errors import Forbidden, Refused
from orchestrator.planning.drift import drift
from orchestrator.planning.orphans import orphans
from orchestrator.rollout.resources.objects import label
from orchestrator.sources.prune import everything
from orchestrator.writing.stray_bridges import Stray, strays


def show(target: Target, source: str, output: str) -> int:
    """1 where the cluster differs, policies are orphaned or bridges are left; else 0."""
    formatted(output)
    ctx = wiring.connected(target)
    given = sources.find(ctx, source)
    verified = given.status.current_revision
    if not verified:
        raise Refused(
            f"the source {given.name} has no current revision yet; `netpol-canary plan` shows what it would do"
        )
    found, left, bridges = drift(ctx, given, everything(ctx)), orphans(ctx, given), _bridges(ctx)
    rows = [[d.namespace, d.object, d.how, d.by.text if d.by else ""] for d in found.differences]
    if output:
        facts = {
            "source": given.name,
            "currentRevision": verified,
            "differences": [
                dict(zip(("namespace", "object", "what", "by"), row, strict=True)) for row in rows
            ],
            "contested": list(found.contested),
            "orphaned": [{"namespace": n, "objects": [*map(label, o)]} for n, o in left.held.items()],
            "strayBridges": [{"bridge": s.label, "why": s.why} for s in bridges],
        }
        printed(facts, output)
        return int(bool(rows or left.held or bridges))
    if rows:
        cells = ([*row[:3], row[3] or "-"] for row in rows)
        table(["NAMESPACE", "OBJECT", "WHAT", "BY"], cells)
    else:
        print(f"{given.name}: as {verified[:10]} asks for")
    for text in found.contested:
        print(f"managed by others: {text}")
    if left.held:
        print(f"orphaned, since the source does not select them any more: {left.text}")
    for one in bridges:
        print(f"{one.text}; a controller or the guard deletes it within a minute")
    return int(bool(rows or left.held or bridges))


def _bridges(ctx: Context) -> list[Stray]:
    """Of the whole cluster, which not everybody may read; what may be read is compared all the same."""
    try:
        return strays(ctx)
    except Forbidden as error:
        print(f"whether bridges are left is not known: {error}", file=sys.stderr)
        return []
