"""Which sources are looked at in this round, and how the last look at each ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.rollout.polling import Look, due, said
from orchestrator.rollout.resources.resource import Source

MOST_SECONDS = 600.0


@dataclass
class Polling:
    """One look every `seconds`; after errors of what is outside fewer, at least one every `most` seconds.

    Safe under threads of which each looks at another source.
    """

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

    def failing(self, source: Source) -> bool:
        """Whether the last look at it failed by what is outside."""
        last = self._looks.get(source.uid)
        return last is not None and last.errors > 0

    def ended(self, source: Source, failed: bool) -> None:
        """Whether what is outside did its part."""
        last = self._looks.get(source.uid)
        if last is not None:  # the source may have gone while it was looked at
            self._looks[source.uid] = replace(last, errors=last.errors + 1 if failed else 0)

    def again(self, source: Source) -> None:
        """In the next round already."""
        self._looks.pop(source.uid, None)

    def keep(self, sources: Iterable[Source]) -> None:
        """Forget those that are gone."""
        left = {source.uid for source in sources}
        for uid in [uid for uid in tuple(self._looks) if uid not in left]:
            self._looks.pop(uid, None)
