"""What happened to a rollout, and when: transitions, writes, looks, decisions of people, in order of time."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from orchestrator.record.view import Mark, Moment
from orchestrator.rollout.gates.approvals import created
from orchestrator.rollout.next import State
from orchestrator.rollout.order.waves import part_of
from orchestrator.rollout.outbox import REGRESSIONS
from orchestrator.rollout.resources.model import (
    Change,
    MeasurementRecord,
    RolloutApprovalSpec,
    Transition,
    WaveNamespace,
)
from orchestrator.rollout.resources.places import worded
from orchestrator.rollout.resources.resource import Approval
from orchestrator.wording import few, many

MOST_NAMED = 6
SIGNS = {"create": "+", "update": "~", "delete": "-"}

# What comes first among moments of the same time.
ORDER = (
    "Measured",
    "Regression",
    "Promoted",
    "Restored",
    "RolledBack",
    "Succeeded",
    "Planned",
    "WaveStarted",
    "Applied",
)
OF_A_WAVE = (
    *REGRESSIONS,
    "Inconclusive",
    "Undecided",
    "PausedByUser",
    "Resumed",
)  # said of the wave that is open
_WAVE = re.compile(r"^wave (\d+)\b")


def moments(state: State) -> list[Moment]:
    """Everything that the objects tell, without those of an earlier rollout of this name."""
    state = state.own()
    found = _moved(state.rollout.status.transitions)
    found += [m for a in state.approvals if (m := _decided(a)) is not None]
    for number in range(len(state.rollout.spec.waves)):
        found += _wave(state, number)
    return sorted(found, key=lambda m: (m.time, ORDER.index(m.kind) if m.kind in ORDER else 0))


def folded(found: Sequence[Moment]) -> Iterator[Moment]:
    """Measurements that say the same one after another as one moment, at the time of the first."""
    for _, alike in groupby(found, key=lambda m: (m.text, m.wave) if m.kind == "Measured" else id(m)):
        first, *others = alike
        often = f", {len(others) + 1} times until {others[-1].time:%H:%M:%S}" if others else ""
        yield replace(first, text=f"{first.text}{often}")


def marks(state: State, number: int) -> tuple[Mark, ...]:
    """What is drawn into every curve of a wave."""
    found = []
    applied = [i.status.applied_at for i in state.in_wave(number) if i.status.applied_at]
    if applied:
        found.append(Mark(max(applied), "applied", f"wave {number} was written"))
    for moved in state.rollout.status.transitions:
        if moved.reason == "Promoted" and _numbered(moved.message) == number:
            found.append(Mark(moved.time, "promoted", f"wave {number} was promoted"))
    status = state.rollout.status
    if applied and status.detected_at and status.detected_at >= max(applied):
        found.append(Mark(status.detected_at, "detected", "the rollback was decided"))
    restored = [i.status.restored_at for i in state.in_wave(number) if i.status.restored_at]
    if restored:
        found.append(Mark(max(restored), "restored", f"wave {number} was restored"))
    return tuple(sorted(found, key=lambda m: m.time))


def _moved(transitions: Sequence[Transition]) -> list[Moment]:
    """What was said; a rollback's end need not repeat its reason, which stands a few lines above."""
    found, running = [], None
    for moved in transitions:
        running = number if (number := _numbered(moved.message)) is not None else running
        text = moved.message.split(": ", 1)[0] if moved.reason == "RolledBack" else moved.message
        wave = running if moved.reason in OF_A_WAVE else number
        found.append(Moment(moved.time, moved.reason, text, moved.actor, wave))
    return found


def _numbered(message: str) -> int | None:
    match = _WAVE.match(message)
    return int(match.group(1)) if match else None


def _decided(approval: Approval) -> Moment | None:
    """A person's yes or no; transitions tell only what followed from all of them."""
    time, spec = created(approval.manifest), approval.spec
    return None if time is None else Moment(time, "Decided", decision(spec), spec.user, spec.wave)


def decision(spec: RolloutApprovalSpec) -> str:
    """`wave 1 approved by mia: checked with the on-call`."""
    comment = f": {spec.comment}" if spec.comment.strip() else ", no reason given"
    if spec.decision == "emergency":
        return f"emergency asked for by {spec.user} from wave {spec.wave} on{comment}"
    word = "rejected" if spec.decision == "reject" else "approved"
    return f"wave {spec.wave} {word} by {spec.user}{comment}"


def _wave(state: State, number: int) -> Iterator[Moment]:
    wave = state.rollout.spec.waves[number]
    items, titles = state.known(wave.places), {p.place: _title(p) for p in wave.namespaces}
    applied = [i for i in items if i.status.applied_at]
    if applied:
        what = few([f"{titles[i.spec.place]} ({counted(i.spec.changes)})" for i in applied], MOST_NAMED)
        last = max(i.status.applied_at for i in applied if i.status.applied_at)
        yield Moment(last, "Applied", f"wave {number} written: {what}", wave=number)
    for item in items:
        if item.status.restored_at:
            text = f"{titles[item.spec.place]}: {item.status.message}"
            yield Moment(item.status.restored_at, "Restored", text, wave=number)
    analysis = state.analyses.get(number)
    if analysis is not None:
        yield from _looks(number, analysis.status.measurements)


def _title(place: WaveNamespace) -> str:
    return ", ".join(filter(None, (worded(place.name), part_of(place))))


def _looks(number: int, records: Sequence[MeasurementRecord]) -> Iterator[Moment]:
    good = Counter(r.time for r in records if r.phase == "Successful")
    for time, asked in sorted(Counter(r.time for r in records).items()):
        text = f"wave {number} watched: {many(good[time], 'measurement')} good"
        bad = asked - good[time]
        yield Moment(time, "Measured", f"{text}, {bad} not" if bad else text, wave=number)


def counted(changes: Sequence[Change]) -> str:
    """`+1 ~2 -1`: objects created, updated, deleted."""
    counts = Counter(str(c.action) for c in changes)
    return " ".join(f"{sign}{counts[action]}" for action, sign in SIGNS.items() if counts[action])
