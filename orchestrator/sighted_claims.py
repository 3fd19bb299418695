"""Claims of a source's place whose rollout does not stand yet, and since when this process has seen them."""

from dataclasses import dataclass, field

from orchestrator.elapsed import Reading, Wall, reading, since
from orchestrator.rollout.resources.resource import Source


@dataclass
class Claims:
    """By source; what else is written to the source changes nothing of its claim."""

    _seen: dict[str, tuple[str, Reading]] = field(default_factory=dict)

    def stood(self, clock: Wall, source: Source) -> float:
        """For how many seconds it was seen unchanged; 0 the first time."""
        name = source.status.active_rollout
        known = self._seen.get(source.uid)
        passed = since(clock, known[1]) if known and known[0] == name else None
        if passed is None:
            self._seen[source.uid] = (name, reading(clock))
        return passed or 0.0
