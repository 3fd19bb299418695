"""Which rollouts are meant: by source, namespace, person, commit, outcome and time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from orchestrator.errors import BadInput
from orchestrator.record.summary import Entry
from orchestrator.rollout.resources.model import TERMINAL

OUTCOMES = {
    "succeeded": ("Succeeded",),
    "rolledback": ("RolledBack",),
    "failed": ("Failed",),
    "superseded": ("Superseded",),
    "paused": ("Paused",),
    "running": ("Pending", "Progressing", "Paused", "RollingBack"),
}


@dataclass(frozen=True)
class Search:
    """Everything that is given must hold. `person` is a part of a name, a mail address or a user; `commit` the
    beginning of an id; `namespace` may hold `*`; `outcome` is one of OUTCOMES."""

    source: str = ""
    namespace: str = ""
    person: str = ""
    commit: str = ""
    outcome: str = ""
    since: datetime | None = None

    def __post_init__(self) -> None:
        if self.outcome and _outcome(self.outcome) not in OUTCOMES:
            raise BadInput(f"{self.outcome} is no outcome", hint=f"take one of {', '.join(OUTCOMES)}")


def found(entries: Iterable[Entry], search: Search) -> list[Entry]:
    """Those that match, newest first."""
    matching = [e for e in entries if _matches(e, search)]
    return sorted(matching, key=lambda e: (e.started_at is None, e.started_at, e.name), reverse=True)


def _matches(entry: Entry, search: Search) -> bool:
    if search.source and entry.source != search.source:
        return False
    if search.namespace and not any(fnmatchcase(n, search.namespace) for n in entry.namespaces):
        return False
    if search.commit and not entry.revision.startswith(search.commit.lower()):
        return False
    if search.outcome and entry.phase not in OUTCOMES[_outcome(search.outcome)]:
        return False
    if search.since and entry.phase in TERMINAL and not _since(entry, search.since):
        return False
    person = search.person.lower()
    return not person or any(person in p.lower() for p in (*entry.authors, *entry.actors))


def _since(entry: Entry, moment: datetime) -> bool:
    """Whether it ended after that; one that runs is always recent."""
    last = entry.ended_at or entry.started_at
    return last is not None and last >= moment


def _outcome(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
