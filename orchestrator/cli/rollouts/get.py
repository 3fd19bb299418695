"""`get` and `watch`: what the cluster knows about sources and rollouts."""

import re
from datetime import UTC, datetime
from typing import Any

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.printing import formatted, printed, table
from orchestrator.cli.process import not_waited_for, stopping, ticks
from orchestrator.cli.rollouts.progress import Progress
from orchestrator.context import Context, read
from orchestrator.engine.worker import phase_code
from orchestrator.errors import BadInput, NotFound
from orchestrator.operations.requests import find_rollout
from orchestrator.ports import Kind
from orchestrator.rollout.next import State, next_action
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.model import API_VERSION, BY_ITSELF, TERMINAL
from orchestrator.rollout.resources.timestamps import stamp
from orchestrator.rollout.state import open_request

WIDTH = 48
ASKED_SECONDS = 30.0  # that a paused rollout is followed after a person said how it goes on


def kind_of(word: str) -> str:
    """The kind that a plural, a short name or a kind stands for. Raises BadInput."""
    for kind, names in KINDS.items():
        known = (names.word, names.word.rstrip("s"), names.plural, names.short, kind.lower())
        if word.lower() in known:
            return kind
    words = ", ".join(names.word for names in KINDS.values())
    raise BadInput(f"{word} is not known here", hint=f"take one of {words}")


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
            print(f"{KINDS[kind].resource}/{obj['metadata']['name']}")
    elif not found:
        print(f"No {KINDS[kind].word} in the namespace {ctx.namespace}.")
    else:
        _table(kind, found, output == "wide")
    return 0


_CONDITION = re.compile(
    r"""\.status\.conditions\[\?\(@\.type=="(\w+)"\)\]\.status"""
)  # as printer columns have it


def _table(kind: str, found: list[dict[str, Any]], wide: bool) -> None:
    columns = [c for c in KINDS[kind].columns if wide or c[3] == 0]
    rows = ([obj["metadata"]["name"], *(_cell(obj, c[1], c[2], wide) for c in columns)] for obj in found)
    table(["NAME", *(c[0].upper() for c in columns)], rows)


def _cell(obj: dict[str, Any], kind: str, path: str, wide: bool) -> str:
    condition = _CONDITION.fullmatch(path)
    value: Any = obj
    for part in [] if condition else path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if condition:
        known = (obj.get("status") or {}).get("conditions") or []
        value = next((c.get("status") for c in known if c.get("type") == condition[1]), None)
    if value is None or value == "":
        return "-"
    if kind == "date":
        return age(str(value))
    text = " ".join(str(value).split())
    if len(text) == 40 and not wide:
        return text[:10]
    return text if wide or len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def age(text: str) -> str:
    """As kubectl writes it: 42s, 7m, 3h, 12d."""
    made = stamp(text)
    if made is None:
        return "-"
    seconds = int((datetime.now(UTC) - made).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def watch(target: Target, name: str, timeout: float) -> int:
    """Follow a rollout until it ends or waits for a person; the exit code says which."""
    with stopping() as stop:
        ctx = wiring.connected(target, stop)
        rollout = find_rollout(ctx, name).name
        progress, patience = Progress(), ASKED_SECONDS
        for _ in ticks(ctx.clock, timeout, stop):
            state = _read(ctx, rollout)
            if state is None:
                print(f"{rollout}: gone")
                return 1
            progress(state)
            status = state.rollout.status
            asked = patience > 0 and goes_on(state, ctx.clock.now())
            waits = status.phase == "Paused" and status.paused_for not in BY_ITSELF
            if status.phase in TERMINAL or (waits and not asked):
                progress.end(state)
                return phase_code(state)
            patience = patience - 1.0 if waits else ASKED_SECONDS
        return not_waited_for(rollout, timeout, stop)


def goes_on(state: State, now: datetime) -> bool:
    """Whether a person has said already how a paused rollout goes on, and nobody has taken it up yet."""
    if open_request(state.rollout) is not None:
        return True
    return state.rollout.status.paused_for == "approval" and next_action(state, now).verb in (
        "vouch",
        "continue",
    )


def _read(ctx: Context, name: str) -> State | None:
    try:
        return read(ctx, name)
    except NotFound:
        return None
