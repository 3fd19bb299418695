"""What a Git host is told of a rollout: commit statuses, the comment on its pull request, and the way back in Git."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.harmless import markdown as escaped
from orchestrator.harmless import one_line
from orchestrator.rollout.next import State
from orchestrator.rollout.notifications.connection_words import ports, rules
from orchestrator.rollout.notifications.texts import since
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import Rollout
from orchestrator.wording import few

MOST_DESCRIPTION = 140
MOST_CONNECTIONS = 30
MOST_RULES = 2
MOST_RULE = 500  # characters of the rules of a connection
MOST_NAMED = 8
MOST_BODY = 60_000  # characters; GitHub takes 65,536 in a comment
BRANCH = "netpol-canary/revert-"
MARKS = {"done": "✅", "now": "⏳", "ahead": "—", "back": "↩️"}


@dataclass(frozen=True)
class Line:
    """A commit status: its context, its state and a description of at most 140 characters."""

    context: str
    state: Literal["pending", "success", "failure"]
    description: str


def lines(source: str, entries: Sequence[m.Outgoing]) -> list[Line]:
    """The latest status of each context that these entries change, in the order in which they do."""
    found: dict[str, Line] = {}
    for entry in entries:
        for line in _of(source, entry):
            found.pop(line.context, None)
            found[line.context] = line
    return list(found.values())


def _of(source: str, entry: m.Outgoing) -> list[Line]:
    said = one_line(next(iter(entry.message.splitlines()), "") or entry.reason)
    whole = f"netpol-canary/{source}"
    found: list[Line] = []
    if entry.phase == "RolledBack":
        found += [_line(f"{whole}/wave-{n}", "failure", said) for n in range(entry.waves_started)]
        return [*found, _line(whole, "failure", f"rolled back, {said}")]
    wave = _wave(entry, said)
    if wave is not None:
        found += [_line(f"{whole}/wave-{number}", *wave) for number in entry.current]
    if entry.phase == "Succeeded":
        return [*found, _line(whole, "success", said)]
    if entry.phase in ("Failed", "Superseded"):
        return [*found, _line(whole, "failure", f"{entry.phase.lower()}: {said}")]
    what = {"Paused": f"paused: {said}", "RollingBack": f"rolling back: {said}"}.get(entry.phase, said)
    return [*found, _line(whole, "pending", what)]


def _wave(entry: m.Outgoing, said: str) -> tuple[Literal["pending", "success", "failure"], str] | None:
    """What an entry says of its wave; None where it says nothing of it."""
    if entry.reason == "Promoted" or entry.phase == "Succeeded":
        return "success", said
    if entry.phase == "Paused":
        return "pending", f"paused: {said}"
    if not entry.wave_is_open:
        return None
    if entry.phase in ("RollingBack", "Failed"):
        return "failure", said
    return ("pending", said) if entry.phase == "Progressing" else None


def _line(context: str, state: Literal["pending", "success", "failure"], text: str) -> Line:
    short = text if len(text) <= MOST_DESCRIPTION else text[: MOST_DESCRIPTION - 1] + "…"
    return Line(context, state, short)


def marker(rollout: Rollout) -> str:
    """What the one comment of a rollout is found again by; it is not shown."""
    return f"<!-- netpol-canary:{rollout.uid} -->"


def comment(state: State, link: str) -> str:
    """The plan, and how it went so far, as Markdown; nothing in it that was written by others is markup."""
    rollout = state.rollout
    spec, status = rollout.spec, rollout.status
    name = f"[{escaped(rollout.name)}]({link})" if link else escaped(rollout.name)
    parts = [marker(rollout), f"### netpol-canary: {_outcome(state)}", ""]
    parts += [f"Rollout {name} of {spec.revision[:10]}, source {escaped(spec.source)}.", ""]
    if status.reason and status.phase != "Succeeded":
        parts += [*_quoted(status.said), ""]
    parts += [f"**Risk {spec.risk}**: {escaped('; '.join(spec.risk_reasons) or 'no connection changes')}", ""]
    parts += ["| wave | namespaces | state |", "|---|---|---|"]
    parts += [_row(state, number) for number in range(len(spec.waves))]
    if spec.boundaries:
        parts += ["", "Between waves:", "", *(f"- {escaped(b)}" for b in spec.boundaries[:MOST_CONNECTIONS])]
    return "\n".join([*parts, *_connections(state), ""])[:MOST_BODY]


def _quoted(text: str) -> list[str]:
    """Line by line, as it was said."""
    return [f"> {escaped(line)}  " for line in text[:1500].splitlines() if line.strip()]


def _outcome(state: State) -> str:
    status = state.rollout.status
    waves = len(state.rollout.spec.waves)
    if status.phase == "RolledBack":
        took = f" within {since(status.restored_seconds)}" if status.restored_seconds is not None else ""
        return (
            f"rolled back, everything restored{took}"
            if status.waves_started
            else "ended before anything was written"
        )
    return {
        "Succeeded": "promoted everywhere",
        "Failed": "failed, a person is needed",
        "Superseded": "superseded",
        "RollingBack": "rolling back",
        "Paused": f"paused for {status.paused_for or 'a person'} at wave {status.wave} of {waves}",
    }.get(
        status.phase, f"wave {status.wave} of {waves}, the last is {waves - 1}" if waves > 1 else "under way"
    )


def _row(state: State, number: int) -> str:
    status, wave = state.rollout.status, state.rollout.spec.waves[number]
    names = wave.namespace_names
    opened = number < status.waves_started
    if status.phase in ("RollingBack", "RolledBack"):
        mark, what = ("back", "restored") if opened else ("ahead", "not reached")
    elif status.phase == "Succeeded" or number < status.wave:
        mark, what = "done", "promoted"
    elif number in status.current and status.phase == "Paused":
        mark, what = "now", f"paused for {status.paused_for}"
    else:
        mark, what = ("now", "being watched") if opened else ("ahead", "ahead")
    return f"| {number} | {escaped(few(names, MOST_NAMED))} | {MARKS[mark]} {what} |"


def _connections(state: State) -> list[str]:
    """Those that were frozen with the plan, by wave; of an older rollout those of the waves that have begun."""
    spec = state.rollout.spec
    total = sum(wave.connections for wave in spec.waves)
    if not spec.edges or not total:
        return _begun(state)
    rows = [
        f"| {e.wave} | {e.change or 'changed'} | {escaped(e.source)} | {escaped(e.destination)} | {escaped(ports(e))} "
        f"| {escaped('; '.join(rules(e)[:MOST_RULES])[:MOST_RULE])} |"
        for e in spec.edges[:MOST_CONNECTIONS]
    ]
    head = ["", f"Connections that change: {total}, of each wave the worst first", ""]
    table = ["| wave | what | from | to | ports | by which rule |", "|---|---|---|---|---|---|", *rows]
    more = total - len(rows)
    return [*head, *table, *(["", f"and {more} more"] if more > 0 else [])]


def _begun(state: State) -> list[str]:
    edges = [edge for _, found in sorted(state.analyses.items()) for edge in found.spec.edges]
    if not edges:
        return []
    distinct = list({(e.source, e.destination, e.before, e.after): e for e in edges}.values())
    rows = [
        f"| {escaped(e.source)} | {escaped(e.destination)} | {escaped(e.before or 'none')} | {escaped(e.after or 'none')} |"
        for e in distinct[:MOST_CONNECTIONS]
    ]
    more = len(distinct) - len(rows)
    head = ["", f"Connections that change in the waves so far: {len(distinct)}", ""]
    table = ["| from | to | before | after |", "|---|---|---|---|", *rows]
    return [*head, *table, *(["", f"and {more} more"] if more > 0 else [])]


def way_back(rollout: Rollout, link: str) -> tuple[str, str]:
    """Title and body of the pull request that takes the change back out of Git."""
    short, uid = rollout.spec.revision[:10], rollout.uid
    why = "\n".join(_quoted(rollout.status.said))
    found = f"\n\n{link}" if link else ""
    body = (
        f"<!-- netpol-canary:{uid} -->\n"
        f"The rollout {escaped(rollout.name)} of {short} was rolled back, so the cluster no longer holds what Git "
        f"asks for. Merging this brings both together again.\n\n{why}{found}\n"
    )
    return f"Revert the policies of {short}, which were rolled back", body
