"""What is frozen of one namespace, as it will be written: the planner makes it too, so that nothing is refused later."""

from collections.abc import Sequence

from orchestrator.errors import BadInput
from orchestrator.ports import Commit
from orchestrator.rollout.order.plan import NamespacePlan, size
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources import objects
from orchestrator.rollout.resources.bounds import cut, most, planned
from orchestrator.rollout.resources.objects import MOST_LABEL
from orchestrator.rollout.resources.resource import dump
from orchestrator.rollout.resources.weight import weight

MOST_BYTES = 900 * 1024  # as it is stored
MOST_BLAME = 64 * 1024  # what the commits behind it may add
SPLIT = "split the change into several commits"
_TEXT = most(m.Change, "commit")


def namespace_spec(
    rollout: str, wave: int, item: NamespacePlan, commits: Sequence[Commit] = ()
) -> m.NamespaceRolloutSpec:
    """`before` and `after` of a namespace, and where each difference comes from: what commits say takes the room that is left."""
    for length in (_TEXT, 200, 60):
        found = _spec(rollout, wave, item, commits, length)
        if weight(dump(found)) <= MOST_BYTES + MOST_BLAME:
            return found
    return _spec(rollout, wave, item, (), 0)


def _spec(
    rollout: str, wave: int, item: NamespacePlan, commits: Sequence[Commit], length: int
) -> m.NamespaceRolloutSpec:
    return m.NamespaceRolloutSpec(
        rollout=rollout,
        wave=wave,
        namespace=item.name,
        stage=item.stage,
        namespace_uid=item.uid,
        before=[objects.canonical(o) for o in item.before],
        after=[objects.canonical(o) for o in item.after],
        changes=[
            m.Change(
                object=cut(c.label, most(m.Change, "object")),
                action=c.action,
                file=_tail(c.file),
                commit=cut(_blame(c.file, commits), length) if length else "",
            )
            for c in item.changes
        ],
    )


def holdable(item: NamespacePlan) -> None:
    """Raises BadInput where the record of a namespace cannot hold what changes there."""
    files = [c.file for c in item.changes if c.file]
    where = files[0] if files else f"namespace {item.name}"
    count, limit = len(item.changes), most(m.NamespaceRolloutSpec, "changes")
    if count > limit:
        text = (
            f"{count} objects change in the namespace {item.name}, a rollout holds {limit} of one namespace"
        )
        raise BadInput(text, where, SPLIT)
    for change in item.changes:
        for obj in (change.before, change.after):
            if obj is not None and len(objects.canonical(obj)) > m.MOST_MANIFEST:
                text = f"{item.name}/{change.label} has more than {m.MOST_MANIFEST // 1024} Ki characters"
                raise BadInput(text, change.file or where, "split it into several policies")
    stored = weight(dump(planned(lambda: _spec(MOST_LABEL * "x", 0, item, (), 0), where)))
    if stored > MOST_BYTES:
        grown = stored > 2 * size([*item.before, *item.after])
        why = ", as it is stored: characters such as < and quotes take several bytes there" if grown else ""
        text = f"the policy set of namespace {item.name} is larger than {MOST_BYTES // 1024} KiB{why}"
        raise BadInput(text, where, SPLIT)


def _tail(file: str) -> str:
    """`path:line`; of a path that is too long, its end."""
    return file if len(file) <= _TEXT else f"…{file[1 - _TEXT :]}"


def _blame(file: str, commits: Sequence[Commit]) -> str:
    """The newest commit that touched a file, as `id author: subject`; the only one where there is but one.

    A deleted object has no file any more: then only a single commit can be named.
    """
    path = file.rpartition(":")[0]
    found = next((c for c in commits if path in c.files), commits[0] if len(commits) == 1 else None)
    if found is None:
        return ""
    author = found.people[0].partition(" <")[0] if found.people else "unknown"
    return cut(f"{found.id[:10]} {cut(author, 200)}: {found.subject}", _TEXT)
