"""A plan as plain data, and as text in the terminal: objects, waves, connections, and what it would do beyond them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.cli import edge
from orchestrator.cli.printing import aligned
from orchestrator.planning.forecast import Forecast
from orchestrator.planning.frozen.frozen_connections import worst
from orchestrator.policy.impact.risk import RiskRules
from orchestrator.policy.objects import port_sets
from orchestrator.record.diffs import unified
from orchestrator.rollout.notifications.connection_words import listed
from orchestrator.rollout.order.plan import ObjectChange, Plan
from orchestrator.rollout.resources.places import counted, whole
from orchestrator.wording import few, first, many

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
                for c in plan.written(name).changes
            ]
            part = wave.parts.get(name)
            narrowed = (
                {"covers": list(part.covers), "pods": {p.key: p.value for p in part.pods}} if part else {}
            )
            note = plan.written(name).note
            names.append({"name": whole(name), **narrowed, "changes": changes, "note": note})
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
    return {
        **known,
        "observed": observed,
        "remarks": list(plan.remarks),
        "notes": list(plan.notes),
        "late": list(plan.late),
    }


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
        "notAnalysed": list(expected.notes),
        "cni": expected.cni,
    }


def summary(plan: Plan) -> str:
    """One line: how many places, waves and objects."""
    changes = [c for n in plan.namespaces.values() for c in n.changes]
    counts = [f"{sum(c.action == a for c in changes)} to {a}" for a in _SIGNS]
    return f"{counted(plan.namespaces)} in {many(len(plan.waves), 'wave')}; {', '.join(counts)}"


def connections(plan: Plan, expected: Forecast, rules: RiskRules) -> list[str]:
    """The connections that each wave changes, as a rollout would freeze them: the worst first, a line each."""
    found = worst(expected.changes, expected.impact, rules, expected.waves)
    lines = []
    for number, total in sorted(found.counts.items()):
        mine = [edge for edge in found.shown if edge.wave == number]
        lines.append(f"wave {number} changes {many(total, 'connection')}:")
        lines += [f"  {text}" for text in listed(mine, total, MOST_SHOWN)]
    return lines


def text(
    plan: Plan,
    expected: Forecast,
    left: str,
    concerns: Sequence[str],
    diff: bool,
    rules: RiskRules,
) -> None:
    """Print it, objects with a diff each where `diff`."""
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
            changes = [f"{_SIGNS[c.action]} {c.label}" for c in plan.written(name).changes]
            rows.append([str(number), wave.worded(name), few(changes, 4, "  ", "  and"), wave.why])
    title, *rest = aligned(rows)
    console.print(title, style="bold", markup=False)
    console.print("\n".join(rest), markup=False)
    for line in plan.late:
        console.print(f"waves: {line}", style="yellow", markup=False)
    written = (plan.written(place) for wave in plan.waves for place in wave.namespaces)
    for said in sorted({item.note for item in written if item.note}):
        console.print(f"note: {said}", style="yellow", markup=False)
    for line in (*told(expected), *concerns):
        console.print(line, style="yellow", markup=False)
    for line in connections(plan, expected, rules):
        console.print(line, markup=False)
    if diff:
        for wave in plan.waves:
            for name in wave.namespaces:
                for change in plan.written(name).changes:
                    _diff(console, whole(name), change)
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
    yield from (f"not analysed: {note}" for note in first(expected.notes, MOST_SHOWN))
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
