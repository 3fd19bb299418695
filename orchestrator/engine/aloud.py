"""Says once of an object what about it is ignored: in the log, and as an Event where `kubectl describe` shows it."""

from dataclasses import dataclass, field

import structlog

from orchestrator.ports import Manifest, Notifier

MOST_TOLD = 1000  # objects of which it is known that it was said


@dataclass
class Aloud:
    """One a process; `notifier` writes the Events. A text that changes is said again."""

    notifier: Notifier | None
    _told: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def say(self, obj: Manifest, reason: str, text: str) -> None:
        """Nothing where the text is empty."""
        meta = obj["metadata"]
        key = str(meta.get("uid") or meta.get("name", "")), reason
        if not text or self._told.get(key) == text:
            return
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told[key] = text
        structlog.get_logger().warning("this is ignored", reason=reason, name=meta.get("name"), error=text)
        if self.notifier is not None:
            self.notifier.notify(obj, reason, text, True)
