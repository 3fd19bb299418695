"""Which sources are looked at in this round, and how the last look at each ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.rollout.looks import Look, due, said
from orchestrator.rollout.resource import Source

MOST_SECONDS = 600.0


@dataclass
class Polling:
    """One look every `seconds`; after errors of what is outside fewer, at least one every `most` seconds."""

    seconds: float
    most: float = MOST_SECONDS
    _looks: dict[str, Look] = field(default_factory=dict, repr=False)

    def begins(self, source: Source, now: datetime) -> bool:
        """Whether this source is looked at now; counts as looked at then."""
        last = self._looks.get(source.uid)
        if not due(last, source, now, self.seconds, self.most):
            return False
        asked = last is not None and last.said != said(source)
        self._looks[source.uid] = Look(now, said(source), last.errors if last and not asked else 0)
        return True

    def ended(self, source: Source, failed: bool) -> None:
        """Whether what is outside did its part."""
        last = self._looks[source.uid]
        self._looks[source.uid] = replace(last, errors=last.errors + 1 if failed else 0)

    def again(self, source: Source) -> None:
        """In the next round already."""
        self._looks.pop(source.uid, None)

    def keep(self, sources: Iterable[Source]) -> None:
        """Forget those that are gone."""
        left = {source.uid for source in sources}
        self._looks = {uid: look for uid, look in self._looks.items() if uid in left}
