"""`get`: what the cluster knows about sources and rollouts."""

import sys
from dataclasses import dataclass

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.objects.json_paths import relaxed
from orchestrator.cli.objects.object_changes import changes
from orchestrator.cli.objects.object_order import ordered
from orchestrator.cli.objects.object_output import Shown
from orchestrator.errors import BadInput
from orchestrator.policy.objects.selector import parse
from orchestrator.ports import Kind
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.model import API_VERSION, GROUP
from orchestrator.wording import plural


def kind_of(word: str) -> str:
    """The kind that a plural, a singular, a short name or a whole name stands for. Raises BadInput."""
    asked = word.lower().removesuffix(f".{GROUP}")
    for kind, names in KINDS.items():
        known = (names.word, names.plural, names.short, kind.lower())
        if asked in known or plural(asked) == names.word:
            return kind
    words = ", ".join(names.word for names in KINDS.values())
    raise BadInput(f"{word} is not known here", hint=f"take one of {words}")


@dataclass(frozen=True)
class Asked:
    """What is to be listed, and how; `names` are all of one kind, or none for all of it."""

    word: str = "rollouts"
    names: tuple[str, ...] = ()
    output: str = ""
    labels: str = ""
    everywhere: bool = False
    sort_by: str = ""
    heads: bool = True
    follow: bool = False


def get(target: Target, asked: Asked) -> int:
    """A table, or the objects; with `follow` each of them again when it changes, until it is interrupted."""
    kind, names = _named(asked)
    _sensible(asked, names)
    shown = Shown(kind, asked.output, asked.heads, asked.everywhere)
    by = relaxed(asked.sort_by, "--sort-by") if asked.sort_by else None
    ctx = wiring.connected(target)
    where, space = Kind(API_VERSION, kind), None if asked.everywhere else ctx.namespace
    if names:
        found = [ctx.cluster.get(where, name, space) for name in dict.fromkeys(names)]
    else:
        found = ctx.cluster.list(where, space, asked.labels)
    found = found if names and by is None else ordered(found, by)
    if asked.follow:
        shown.each(found)
        again = changes(ctx.cluster, where, space, asked.labels, names, found, lambda: ctx.clock.sleep(1.0))
        for obj in again:
            shown.one(obj)
    elif not found and shown.tabular:
        place = "any namespace" if asked.everywhere else f"the namespace {space}"
        print(f"No {KINDS[kind].word} in {place}.", file=sys.stdout if asked.heads else sys.stderr)
    else:
        shown.all(found, len(names) == 1)
    return 0


def _named(asked: Asked) -> tuple[str, tuple[str, ...]]:
    """The kind and the names, of `KIND NAME…` or `KIND/NAME…`."""
    if "/" not in asked.word:
        if any("/" in name for name in asked.names):
            raise BadInput(
                "a KIND/NAME stands behind a kind", hint="write KIND NAME NAME, or KIND/NAME KIND/NAME"
            )
        return kind_of(asked.word), asked.names
    pairs = [one.partition("/") for one in (asked.word, *asked.names)]
    if any(not word or not name or "/" in name for word, _, name in pairs):
        raise BadInput("not all of it is KIND/NAME", hint="write KIND/NAME KIND/NAME, or KIND NAME NAME")
    kinds = {kind_of(word) for word, _, _ in pairs}
    if len(kinds) > 1:
        raise BadInput("these are of several kinds", hint="ask for one kind at a time")
    return kinds.pop(), tuple(name for _, _, name in pairs)


def _sensible(asked: Asked, names: tuple[str, ...]) -> None:
    """Raises BadInput for options that do not go together, or are no label selector."""
    if names and asked.labels:
        raise BadInput("names and a label selector are given", "-l", "give one of them")
    if names and asked.everywhere:
        raise BadInput("a name is looked for in one namespace", "-A", "give -n instead")
    try:
        parse(asked.labels)
    except ValueError as error:
        raise BadInput(str(error), "-l", "write it as a=b,c!=d,e in (x,y)") from None
