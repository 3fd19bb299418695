"""What the live view shows of a rollout: where it stands, what it waits for and what answers that, waves, what happened."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from orchestrator.cli.live.fitted_rows import EMPTY, Row
from orchestrator.cli.live.wave_rows import heading, rows_of
from orchestrator.cli.printing import LEAST, cut
from orchestrator.cli.rollouts.gates import ahead
from orchestrator.cli.rollouts.progress import MARKS, answers, clock
from orchestrator.cli.terminal import PHASES
from orchestrator.record.build import view
from orchestrator.record.view import Moment, RolloutView, WaveView
from orchestrator.rollout.next import Action, State, next_action
from orchestrator.rollout.resources.model import TERMINAL

WAITS_LINES, EXPLAINED_LINES = 3, 4
SHORT = 10  # characters of a commit
OPEN = ("running", "waiting", "bad")
BACK = ("RollingBack", "RolledBack", "Failed", "Superseded")


def rows(state: State, now: datetime, width: int) -> list[Row]:
    """Everything that there is to see, each line with how much it matters."""
    found = view(state, now, diffs=False)
    parts = (
        _head(found, now, width),
        _wanted(found, state, now, width),
        _explained(found, width),
        _waves(found, ahead(state, now), width),
        _timeline(found),
    )
    shown: list[Row] = []
    for part in parts:
        given = list(part)
        shown += [Row.of(EMPTY), *given] if shown and given else given
    return shown


def _head(found: RolloutView, now: datetime, width: int) -> Iterator[Row]:
    paused = f" ({found.paused_for})" if found.paused_for else ""
    lasts = f"  {clock(found.ended_at or now, found.started_at)}" if found.started_at else ""
    name = cut(found.name, max(width - len(f"{found.phase}{paused}{lasts}") - 2, LEAST))
    yield Row.of(
        0, (name, "bold"), "  ", (found.phase, PHASES.get(found.phase, "")), (paused, ""), (lasts, "dim")
    )
    if found.emergency:
        yield Row.of(1, (f"EMERGENCY {found.emergency}", "bold red"))
    by = f" by {', '.join(found.authors)}" if found.authors else ""
    subject = f": {found.subject}" if found.subject else ""
    yield Row.of(20, f"{found.revision[:SHORT]}{by}{subject}")
    yield Row.of(40, ("; ".join((f"{found.risk} risk", *found.risk_reasons)), "dim"))


def _wanted(found: RolloutView, state: State, now: datetime, width: int) -> Iterator[Row]:
    """What it waits for, and the command that answers; while it works, what it does."""
    if found.phase in TERMINAL:
        said = ""
    elif found.waits_for:
        said = f"waits for {found.waits_for}" if found.paused_for == "approval" else found.waits_for
    else:
        said = _doing(next_action(state, now), now)
    for number, text in enumerate(_wrapped(said, width, WAITS_LINES)):
        yield Row.of(number, (text, "bold yellow" if found.waits_for else ""))
    for number, command in enumerate(answers(state)):
        yield Row.of(number, (f"netpol-canary {command}", "bold cyan"), indent=2)


def _doing(action: Action, now: datetime) -> str:
    """What whoever works on it does next, and in how many seconds where that is known."""
    wave = f"wave {action.wave}"
    words = {
        "declare": "an emergency is declared",
        "snapshot": "what stands now is frozen",
        "baseline": f"what {wave} is compared with is measured",
        "apply": f"{wave} is written",
        "wait": f"{wave} settles" if action.reason == "Settling" else f"{wave} is judged, and measured again",
        "analyze": f"{wave} is measured",
        "promote": f"{wave} is promoted",
        "open": f"{wave} opens",
        "restore": "what stood there before is restored",
        "confirm": "what was restored is read back",
        "verify": "what was restored is verified",
    }
    left = max(int((action.until - now).total_seconds()), 0) if action.until is not None else None
    return words.get(action.verb, "goes on") + (f" in {left} s" if left is not None else "")


def _explained(found: RolloutView, width: int) -> Iterator[Row]:
    """Why it went back or stands still; of each first line before the second of any."""
    if found.phase not in BACK:
        return
    for number, (title, text) in enumerate(found.explained):
        first, *more = _wrapped(f"{title}: {text}", width - 2, EXPLAINED_LINES) or [""]
        yield Row.of(6 + number, (first[: len(title) + 1], "bold"), first[len(title) + 1 :])
        yield from (Row.of(16 + number, said, indent=2) for said in more)


def _waves(found: RolloutView, gates: Mapping[int, Sequence[str]], width: int) -> Iterator[Row]:
    focus = _focus(found.waves)
    for wave in found.waves:
        away = abs(wave.number - focus)
        yield heading(wave, 4 if not away else 30 + min(away, 9), width)
        if wave.state in OPEN or not away:
            yield from rows_of(wave, width)
        for text in gates.get(wave.number, ())[: None if away <= 1 else 1]:
            people = text.startswith(" ")
            yield Row.of(
                45 if away > 1 else 35 if people else 8, (text.rstrip(), "dim" if people else ""), indent=6
            )


def _focus(waves: Sequence[WaveView]) -> int:
    """The wave that matters now: one that is open or went wrong, else the last that began."""
    open_ = [w.number for w in waves if w.state in OPEN]
    begun = [w.number for w in waves if w.state != "ahead"]
    return open_[0] if open_ else begun[-1] if begun else 0


def _timeline(found: RolloutView) -> Iterator[Row]:
    """The latest matter most."""
    count = len(found.moments)
    for number, moment in enumerate(found.moments):
        yield _moment(moment, found.moments[0].time, 60 + min(count - 1 - number, 38))


def _moment(moment: Moment, start: datetime, rank: int) -> Row:
    mark, style = MARKS.get(moment.kind, ("·", "white"))
    said = moment.text.partition("\n")[0]
    return Row.of(
        rank,
        (clock(moment.time, start), "dim"),
        " ",
        (f"{mark} {moment.kind:<12}", style),
        f" {said}",
        indent=2,
        listed=True,
    )


def _wrapped(text: str, width: int, most: int) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), max(width, 10), max_lines=most, placeholder=" …")
