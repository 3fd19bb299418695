"""`get`, `describe` and `watch`: what the cluster knows about sources and rollouts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orchestrator.analysis.answers import asked
from orchestrator.cli import wiring
from orchestrator.cli.progress import Progress
from orchestrator.cli.report import aligned, formatted, printed
from orchestrator.cli.requests import find_rollout
from orchestrator.cli.timeline import line
from orchestrator.cli.wiring import Target
from orchestrator.engine.embedded import phase_code
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports import Kind
from orchestrator.record.timeline import moments
from orchestrator.rollout.crd import NAMES
from orchestrator.rollout.model import API_VERSION, TERMINAL
from orchestrator.rollout.next import State
from orchestrator.rollout.resource import WaveAnalysis
from orchestrator.steps.context import Context, read

WORDS = {
    "sources": "PolicySource",
    "rollouts": "PolicyRollout",
    "namespaces": "NamespaceRollout",
    "analyses": "WaveAnalysis",
    "approvals": "RolloutApproval",
}
WIDTH = 48


def kind_of(word: str) -> str:
    """The kind that a plural, a short name or a kind stands for. Raises BadInput."""
    for plural, kind in WORDS.items():
        names = NAMES[kind]
        if word.lower() in (plural, plural.rstrip("s"), names.plural, names.short, kind.lower()):
            return kind
    raise BadInput(f"{word} is not known here", hint=f"take one of {', '.join(WORDS)}")


def get(target: Target, word: str, name: str, output: str) -> int:
    """A table, or the objects."""
    formatted(output, "wide", "name")
    kind = kind_of(word)
    ctx = wiring.connected(target)
    where = Kind(API_VERSION, kind)
    found = [ctx.cluster.get(where, name, ctx.namespace)] if name else ctx.cluster.list(where, ctx.namespace)
    found.sort(key=lambda o: (str(o["metadata"].get("creationTimestamp", "")), o["metadata"]["name"]))
    if output in ("json", "yaml"):
        for obj in found:
            obj["metadata"].pop("managedFields", None)
        items = {"apiVersion": "v1", "kind": "List", "items": found}
        printed(found[0] if name else items, output)
    elif output == "name":
        for obj in found:
            print(f"{NAMES[kind].plural}.{API_VERSION.split('/')[0]}/{obj['metadata']['name']}")
    elif not found:
        print(f"No {WORDS_BACK[kind]} in the namespace {ctx.namespace}.")
    else:
        _table(kind, found, output == "wide")
    return 0


WORDS_BACK = {kind: word for word, kind in WORDS.items()}


def _table(kind: str, found: list[dict[str, Any]], wide: bool) -> None:
    columns = [c for c in NAMES[kind].columns if wide or c[3] == 0]
    rows = [["NAME", *(c[0].upper() for c in columns)]]
    for obj in found:
        rows.append([obj["metadata"]["name"], *(_cell(obj, c[1], c[2], wide) for c in columns)])
    print("\n".join(aligned(rows)))


def _cell(obj: dict[str, Any], kind: str, path: str, wide: bool) -> str:
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or value == "":
        return "-"
    if kind == "date":
        return age(str(value))
    text = " ".join(str(value).split())
    if len(text) == 40 and not wide:
        return text[:10]
    return text if wide or len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def age(stamp: str) -> str:
    """As kubectl writes it: 42s, 7m, 3h, 12d."""
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(stamp.replace("Z", "+00:00"))).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def describe(target: Target, name: str) -> int:
    """A rollout: facts, waves, evidence, timeline."""
    ctx = wiring.connected(target)
    _described(read(ctx, find_rollout(ctx, name).name))
    return 0


def _described(state: State) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    rollout, status = state.rollout, state.rollout.status
    facts = {
        "Rollout": rollout.name,
        "Source": rollout.spec.source,
        "Revision": rollout.spec.revision,
        "Authors": ", ".join(rollout.spec.people) or "-",
        "Risk": "; ".join((rollout.spec.risk, *rollout.spec.risk_reasons)),
        "Phase": status.phase + (f" ({status.paused_for})" if status.paused_for else ""),
        "Reason": status.reason or "-",
    }
    if status.restored_seconds is not None:
        facts["Put back in"] = f"{status.restored_seconds:.2g} s"
    for title, text in facts.items():
        console.print(f"[bold]{title + ':':<14}[/bold]", end="")
        console.print(text, markup=False)
    for boundary in rollout.spec.boundaries:
        console.print(f"{'Between waves:':<14} {boundary}", markup=False)
    console.print("\n[bold]Waves[/bold]")
    for number, wave in enumerate(rollout.spec.waves):
        analysis = state.analyses.get(number)
        verdict = analysis.status.phase if analysis else "not begun"
        console.print(f"  {number}  {wave.why}: {verdict}", markup=False)
        for item in wave.namespaces:
            found = state.namespaces.get(item.name)
            console.print(
                f"       {item.name}: {found.status.phase if found else 'not frozen'}", markup=False
            )
        if analysis is not None:
            _evidence(console, analysis)
    console.print("\n[bold]Timeline[/bold]")
    events = moments(state)
    for moment in events:
        console.print(line(moment, events[0].time))
    console.print("\n[bold]Conditions[/bold]")
    for condition in status.conditions:
        console.print(
            f"  {condition.type}={condition.status} {condition.reason} {condition.message}".rstrip(),
            markup=False,
        )


def _evidence(console: Any, analysis: WaveAnalysis) -> None:
    from rich.markup import escape

    spec, status = analysis.spec, analysis.status
    console.print(
        f"       watched {', '.join(spec.watched) or '-'}; controls {', '.join(spec.controls) or '-'}"
    )
    last = {(r.metric, r.namespace): r for r in status.measurements}
    for record in last.values():
        console.print(f"       {record.phase}: {record.message}", markup=False)
        if record.phase not in ("Successful", "Pending"):
            console.print(f"         query: {record.query}", markup=False)
    _probes(console, analysis)
    for alarm in status.alarms:
        console.print(f"       [bold red]alarm[/bold red] {escape(alarm)}")
    for note in spec.notes:
        console.print(f"       note: {note}", markup=False)


def _probes(console: Any, analysis: WaveAnalysis) -> None:
    """Declared probes and controls one by one; of the others how many are as expected, and those that are not."""
    answers = asked(analysis.spec.probes, analysis.status.probes)
    quiet = [
        a for a in answers if a.probe.role in ("edge", "sample", "observer") and a.after == a.probe.expect
    ]
    for answer in (a for a in answers if a not in quiet):
        told = f"{answer.before} before, {answer.after} after, expected {answer.probe.expect}"
        console.print(f"       probe {answer.probe.name}: {told}", markup=False)
    if quiet:
        console.print(f"       {len(quiet)} more probes of changed and unchanged connections are as expected")
    held = [r for r in analysis.status.probes if r.when == "held"]
    if held:
        cut = [r.probe for r in held if r.observed == "blocked"]
        named = f": {', '.join(cut[:5])}" if cut else ""
        console.print(
            f"       {len(held)} connections were kept open, {len(cut)} of them broke{named}", markup=False
        )


def watch(target: Target, name: str, timeout: float) -> int:
    """Follow a rollout until it ends or waits for a person; the exit code says which."""
    from orchestrator.cli.run import INTERRUPTED, stopping

    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        rollout = find_rollout(ctx, name).name
        progress = Progress()
        end = ctx.clock.now().timestamp() + timeout
        while not stop.is_set() and ctx.clock.now().timestamp() < end:
            state = _read(ctx, rollout)
            if state is None:
                print(f"{rollout}: gone")
                return 1
            progress(state)
            if state.rollout.status.phase in (*TERMINAL, "Paused"):
                progress.end(state)
                return phase_code(state)
            ctx.clock.sleep(1.0)
        if not stop.is_set():
            print(f"{rollout}: still running after {timeout:g} s")
            return 3
        return INTERRUPTED


def _read(ctx: Context, name: str) -> State | None:
    try:
        return read(ctx, name)
    except NotFound:
        return None
