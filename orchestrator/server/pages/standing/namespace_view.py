"""A namespace as pages show it: its policies and whose they are, who may connect by them, and what changed lately.

Policies are read with the viewer's own rights, which many have for no namespace or for a few.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.context import NAMESPACE, NAMESPACE_ROLLOUT, POLICY, Context
from orchestrator.errors import BadInput, Forbidden, NotFound
from orchestrator.policy.objects.rule_words import RuleWords, rule_words
from orchestrator.ports import Manifest
from orchestrator.rollout.managers import others, told
from orchestrator.rollout.resources.model import (
    Change,
    NamespacePhase,
    NamespaceRolloutStatus,
    RolloutPhase,
)
from orchestrator.rollout.resources.objects import label, owner
from orchestrator.rollout.resources.resource import NamespaceRollout, Rollout, load
from orchestrator.server.pages import read
from orchestrator.server.pages.standing.listed_policies import kinds_of, listed
from orchestrator.server.pages.standing.rollout_rows import rows

MOST_POLICIES, MOST_CHANGES, MOST_RULES = 100, 10, 300
PATIENCE = (
    5.0  # seconds after which no older change is asked for: the page comes, however slow the API server is
)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123, as the API server asks of a namespace


@dataclass(frozen=True)
class NamespacePolicy:
    """One policy. `source` or `managers` say whose it is, `rollout` since when it is as it is.

    `rollout` is empty where that is longer ago than what is kept, or where nobody rolled it out. `rules` are those of a
    NetworkPolicy; of other kinds they are not put into words.
    """

    kind: str
    name: str
    source: str
    managers: str
    rollout: str
    rules: tuple[RuleWords, ...]


@dataclass(frozen=True)
class NamespaceChange:
    """What one rollout did in the namespace, and what became of it there."""

    rollout: str
    source: str
    phase: RolloutPhase
    began: datetime | None
    applied_at: datetime | None
    authors: tuple[str, ...]
    subject: str
    here: NamespacePhase
    changes: tuple[Change, ...]

    def count(self, action: str) -> int:
        """How many objects it creates, updates or deletes there."""
        return sum(change.action == action for change in self.changes)


@dataclass(frozen=True)
class NamespaceView:
    """`exists` is None where the viewer may not know; `hidden` says why policies are not shown, empty where they are."""

    name: str
    exists: bool | None
    hidden: str
    policies: tuple[NamespacePolicy, ...]
    more_policies: int
    sources: tuple[str, ...]
    changes: tuple[NamespaceChange, ...]
    more_changes: int

    def rules(self, word: str) -> list[tuple[NamespacePolicy, RuleWords]]:
        """All rules of a direction, each with its policy."""
        return [(p, r) for p in self.policies for r in p.rules if r.direction == word][:MOST_RULES]


def namespace_view(ctx: Context, name: str) -> NamespaceView:
    """Raises NotFound where nothing is known of it that the viewer may see, and Forbidden."""
    if not _NAME.fullmatch(name):
        raise _unknown(name)
    changing = rows(ctx, namespace=name)
    known = _changes(ctx, name, changing)
    changes = [change for change in known if change is not None]
    within = [s for s in read.sources(ctx) if name in s.status.current_revision_namespaces]
    hidden, found = listed(ctx, kinds_of(within), name)
    found.sort(key=lambda obj: (str(obj["kind"]), str(obj["metadata"]["name"])))
    exists = _exists(ctx, name)
    if not exists and not (changing or within or found):
        raise _unknown(name)
    return NamespaceView(
        name,
        exists,
        f"you may not list {' and '.join(sorted(hidden))} in this namespace" if hidden else "",
        tuple(_policy(obj, changes) for obj in found[:MOST_POLICIES]),
        max(0, len(found) - MOST_POLICIES),
        tuple(s.name for s in within),
        tuple(changes),
        len(changing) - len(known),
    )


def _unknown(name: str) -> NotFound:
    """The same words whether it is not there or may not be seen: what exists is not told by them."""
    return NotFound(f"no source and no rollout has to do with a namespace {name[:63]} that you may see")


def _exists(ctx: Context, name: str) -> bool | None:
    try:
        ctx.cluster.get(NAMESPACE, name)
    except NotFound:
        return False
    except Forbidden as error:
        if error.status == 401:
            raise
        return None
    return True


def _policy(obj: Manifest, changes: Sequence[NamespaceChange]) -> NamespacePolicy:
    source = owner(obj)
    return NamespacePolicy(
        str(obj["kind"]),
        str(obj["metadata"]["name"]),
        source,
        "" if source else told(others(obj)),
        next(_wrote(changes, source, label(obj)), "") if source else "",
        rule_words(obj) if POLICY.means(obj) else (),
    )


def _wrote(changes: Sequence[NamespaceChange], source: str, name: str) -> Iterator[str]:
    """The rollouts whose writing of the object stands, the newest first."""
    for change in changes:
        wrote = any(c.object == name and c.action != "delete" for c in change.changes)
        if wrote and change.source == source and change.here == "Applied":
            yield change.rollout


def _changes(ctx: Context, name: str, changing: Sequence[Manifest]) -> list[NamespaceChange | None]:
    """Those of the newest rollouts, as far as there is time."""
    found: list[NamespaceChange | None] = []
    until = ctx.clock.monotonic() + PATIENCE
    for obj in changing[:MOST_CHANGES]:
        if found and ctx.clock.monotonic() > until:
            break
        found.append(_change(ctx, name, obj))
    return found


def _change(ctx: Context, name: str, obj: Manifest) -> NamespaceChange | None:
    """None where the rollout cannot be read, which its source's page says."""
    try:
        rollout: Rollout = load(obj)
        status, changes = _done(ctx, name, rollout.name)
    except BadInput:
        return None
    spec = rollout.spec
    return NamespaceChange(
        rollout.name,
        spec.source,
        rollout.status.phase,
        rollout.status.started_at,
        status.applied_at,
        tuple(author.removeprefix("user:") for author in spec.authors),
        spec.subject,
        status.phase,
        changes,
    )


def _done(ctx: Context, name: str, rollout: str) -> tuple[NamespaceRolloutStatus, tuple[Change, ...]]:
    """What was frozen for the namespace; nothing where its wave has not begun."""
    try:
        item: NamespaceRollout = load(ctx.cluster.get(NAMESPACE_ROLLOUT, f"{rollout}.{name}", ctx.namespace))
    except NotFound:
        return NamespaceRolloutStatus(), ()
    return item.status, tuple(item.spec.changes)
