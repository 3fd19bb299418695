"""`plan`: what a revision, or a directory, would change, in which waves, and why in this order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.cli import edge
from orchestrator.cli.app import Target
from orchestrator.cli.printing import aligned, formatted, printed
from orchestrator.context import Context
from orchestrator.errors import BadInput
from orchestrator.planning.forecast import Forecast
from orchestrator.policy.author.probing import place
from orchestrator.policy.impact.risk import RiskRules
from orchestrator.policy.objects import port_sets
from orchestrator.ports import Probe
from orchestrator.record.diffs import unified
from orchestrator.rollout.plan import ObjectChange, Plan
from orchestrator.rollout.resources.resource import Source
from orchestrator.wording import few, many

_SIGNS = {"create": "+", "update": "~", "delete": "-"}
MOST_SHOWN = 8
ROLES = {
    "edge": "that change",
    "mustPass": "that must pass",
    "mustNotPass": "that must not",
    "observer": "for DNS and scrapes",
    "sample": "that stay",
}
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show(
    target: Target, path: Path | None, reference: str, revision: str, sandbox: bool, output: str, diff: bool
) -> int:
    """Print the plan; nothing is written anywhere."""
    formatted(output)
    if path is None and not reference:
        raise BadInput("there is nothing to plan", hint="give a directory, or --source")
    if path is not None and revision:
        raise BadInput("a directory has no revisions", str(path), "leave out --revision")
    ctx, source = in_sandbox(reference) if sandbox else _cluster(target, reference)
    if path is not None:
        from orchestrator.adapters.git.directory import Directory

        directory = Directory(path)
        ctx = replace(ctx, repository=lambda _: directory)
    from orchestrator.planning.forecast import forecast, refuse
    from orchestrator.planning.orphans import orphans
    from orchestrator.planning.planner import plan

    repository = ctx.repository(source)
    commit = repository.resolve(revision)
    made = plan(ctx, source, commit)
    expected = forecast(ctx, made, source.spec.strategy, repository.files(commit))
    left = orphans(ctx, source).text
    if output:
        printed(facts(made) | {"orphaned": left} | forecast_facts(expected), output)
    else:
        lines = [*_waits(ctx, source, made), *_concerns(ctx, expected)]
        _text(made, expected, left, lines, diff, connections(made, expected, source.spec.strategy.risk))
    refuse(expected, source.spec.strategy)
    return 0


def _cluster(target: Target, reference: str) -> tuple[Context, Source]:
    from orchestrator.cli import wiring
    from orchestrator.cli.rollouts import sources

    if not reference:
        raise BadInput(
            "which namespaces and waves?", hint="give --source FILE|NAME, or --sandbox for the demo's shop"
        )
    ctx = wiring.connected(target)
    return ctx, sources.find(ctx, reference)


def in_sandbox(reference: str) -> tuple[Context, Source]:
    """The demo's shop with its first policies in force."""
    from orchestrator.cli import wiring
    from orchestrator.cli.rollouts import sources
    from orchestrator.rollout.resources import model as m
    from orchestrator.rollout.resources.resource import load, new
    from orchestrator.sandbox.shop_source import SOURCE_NAME, furnish, strategy
    from orchestrator.sandbox.world import build

    world = build()
    world.cluster.latency = 0.0
    if reference and not sources.is_file(reference):
        raise BadInput(f"the sandbox holds no source {reference}", hint="give --source a file, or none")
    if reference:
        source = sources.from_file(reference)
    else:
        scope = m.NamespaceScope(match_labels=[m.Label(key="team", value="shop")])
        spec = m.PolicySourceSpec(git=m.Git(url="."), namespaces=scope, strategy=strategy())
        source = load(new("PolicySource", SOURCE_NAME, "netpol-canary", spec))
    furnish(world)
    return wiring.in_memory(world, lambda s: wiring.repository(s, lambda name, where: {})), source


def facts(plan: Plan) -> dict[str, Any]:
    """The plan as plain data."""
    waves = []
    for number, wave in enumerate(plan.waves):
        names = []
        for name in wave.namespaces:
            changes = [
                {
                    "action": c.action,
                    "object": c.label,
                    "file": c.file,
                    "before": c.before,
                    "after": c.after,
                }
                for c in plan.namespaces[name].changes
            ]
            names.append({"name": name, "changes": changes, "note": plan.namespaces[name].note})
        waves.append({"wave": number, "why": wave.why, "namespaces": names})
    observed = [
        {
            "namespace": o.namespace,
            "object": o.change.label,
            "file": o.change.file,
            "managedBy": o.managers,
            "before": o.change.before,
            "after": o.change.after,
        }
        for o in plan.observed
    ]
    known = {"source": plan.source, "revision": plan.revision, "digest": plan.digest, "waves": waves}
    return {**known, "observed": observed, "remarks": list(plan.remarks), "notes": list(plan.notes)}


def forecast_facts(expected: Forecast) -> dict[str, Any]:
    """What the plan would do, as plain data."""
    return {
        "risk": {"level": expected.risk.level, "reasons": list(expected.risk.reasons)},
        "connections": [
            {
                "change": c.kind,
                "from": c.src.name,
                "to": c.dst.name,
                "before": port_sets.text(c.before),
                "after": port_sets.text(c.after),
                "because": [b for b in (*c.because, c.note) if b],
            }
            for c in expected.changes
        ],
        "impact": {title: list(items) for title, items in expected.impact.told()},
        "boundaries": [b.text for b in expected.boundaries],
        "proposal": {"waves": dict(expected.proposal.moved), "text": expected.proposal.text},
        "failedIntents": list(expected.failed),
        "cni": expected.cni,
    }


def summary(plan: Plan) -> str:
    """One line: how many namespaces, waves and objects."""
    changes = [c for n in plan.namespaces.values() for c in n.changes]
    counts = [f"{sum(c.action == a for c in changes)} to {a}" for a in _SIGNS]
    spaces, waves = len(plan.namespaces), len(plan.waves)
    return f"{many(spaces, 'namespace')} in {many(waves, 'wave')}; {', '.join(counts)}"


def _waits(ctx: Context, source: Source, made: Plan) -> list[str]:
    """Why no rollout would begin now, or not everywhere, and why no wave would open: a freeze or a window."""
    from orchestrator.context import freezes
    from orchestrator.operations.start import obstacle, tried_before
    from orchestrator.rollout.gates.opening import closure

    why, (_, back) = obstacle(source, made.revision), tried_before(ctx, source, made)
    way = closure(source.spec.strategy.windows, freezes(ctx), source.name, ctx.clock.now())
    held = [f"no rollout begins now: {why}"] if why else []
    closed = [] if way.open else [f"no wave opens now: {way.message}"]
    return [*held, *([f"left out: {back}"] if back else []), *closed]


def _concerns(ctx: Context, expected: Forecast) -> list[str]:
    """What in the cluster would take probe pods for a workload's own."""
    from orchestrator.adapters.probes.lookalikes import concerns

    attempts = expected.chosen.attempts if expected.chosen else ()
    ends = [(a.name, place(a.src), place(a.dst), a.port, a.protocol) for a in attempts]
    return [f"probes: {text}" for text in concerns(ctx.cluster, [Probe(*e, reachable=True) for e in ends])]


def connections(plan: Plan, expected: Forecast, rules: RiskRules) -> list[str]:
    """The connections that each wave changes, as a rollout would freeze them: the worst first, a line each."""
    from orchestrator.planning.frozen_connections import worst
    from orchestrator.rollout.notifications.connection_words import listed

    waves = {name: number for number, wave in enumerate(plan.waves) for name in wave.namespaces}
    found = worst(expected.changes, expected.impact, rules, waves)
    lines = []
    for number, total in sorted(found.counts.items()):
        mine = [edge for edge in found.shown if edge.wave == number]
        lines.append(f"wave {number} changes {many(total, 'connection')}:")
        lines += [f"  {text}" for text in listed(mine, total, MOST_SHOWN)]
    return lines


def _text(
    plan: Plan,
    expected: Forecast,
    left: str,
    concerns: Sequence[str],
    diff: bool,
    connections: Sequence[str] = (),
) -> None:

    console = edge.console()
    _others(console, plan, diff)
    if left:
        console.print(f"orphaned: not selected any more, with policies of this source: {left}", markup=False)
    if plan.empty:
        console.print(f"{plan.source}: nothing to do, the cluster holds what {plan.revision[:17]} asks for")
        return
    rows = [["WAVE", "NAMESPACE", "CHANGES", "WHY HERE"]]
    for number, wave in enumerate(plan.waves):
        for name in wave.namespaces:
            changes = "  ".join(f"{_SIGNS[c.action]} {c.label}" for c in plan.namespaces[name].changes[:4])
            more = len(plan.namespaces[name].changes) - 4
            rows.append([str(number), name, changes + (f"  and {more} more" if more > 0 else ""), wave.why])
    title, *rest = aligned(rows)
    console.print(title, style="bold", markup=False)
    console.print("\n".join(rest), markup=False)
    for name in sorted(plan.namespaces):
        if plan.namespaces[name].note:
            console.print(f"note: {plan.namespaces[name].note}", style="yellow", markup=False)
    for line in (*told(expected), *concerns):
        console.print(line, style="yellow", markup=False)
    for line in connections:
        console.print(line, markup=False)
    if diff:
        for wave in plan.waves:
            for name in wave.namespaces:
                for change in plan.namespaces[name].changes:
                    _diff(console, name, change)
    console.print(f"\n{plan.source} at {plan.revision[:17]}: {summary(plan)}")
    if expected.cni != "generic":
        console.print(f"policies are read as {expected.cni} reads them", markup=False)
    console.print(f"risk: {expected.risk.level} ({'; '.join(expected.risk.reasons)})", markup=False)


def _others(console: Any, plan: Plan, diff: bool) -> None:
    """What of the commit is left out; what others manage: left alone, taken over, or contested."""
    for text in plan.notes:
        console.print(text, style="yellow", markup=False)
    for text in plan.remarks:
        console.print(f"managed by others: {text}", style="yellow", markup=False)
    for one in plan.observed:
        state = "differs from Git" if one.differs else "as Git has it"
        name = f"{one.namespace}/{one.change.label}"
        console.print(
            f"observed: {name} is left alone, managed by {one.managers}; {state}",
            style="yellow",
            markup=False,
        )
        if diff and one.differs:
            _diff(console, one.namespace, one.change)


def told(expected: Forecast) -> Iterator[str]:
    """What the plan would do beyond its objects, a line each; `diff` lists every connection."""
    for title, items in expected.impact.told():
        yield f"{title}: {few(items, MOST_SHOWN)}"
    for boundary in expected.boundaries[:MOST_SHOWN]:
        yield f"between waves: {boundary.text}"
    if len(expected.boundaries) > MOST_SHOWN:
        yield f"between waves: and {len(expected.boundaries) - MOST_SHOWN} more"
    if expected.proposal.text:
        yield expected.proposal.text
    if expected.chosen is not None:
        attempts = expected.chosen.attempts
        pods = len({(a.src.pod.namespace, a.src.pod.name) for a in attempts})
        roles = Counter(str(a.role) for a in attempts)
        kinds = ", ".join(f"{roles[role]} {word}" for role, word in ROLES.items() if roles[role])
        yield f"probes: {many(len(attempts), 'connection')} from {many(pods, 'workload')} ({kinds})"
        yield from (f"probes: {note}" for note in expected.chosen.notes)


def _diff(console: Any, namespace: str, change: ObjectChange) -> None:
    from rich.text import Text

    for line in lines(namespace, change):
        style = "bold" if line.startswith(("+++", "---")) else _COLOURS.get(line[:1], "")
        console.print(Text(line, style=style))


def lines(namespace: str, change: ObjectChange) -> Iterator[str]:
    """A unified diff of the object as YAML."""
    yield ""
    yield from unified(f"{namespace}/{change.label}", change.before, change.after, change.file).split("\n")
