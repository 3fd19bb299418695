"""Which sources a delivery is for: those of its repository whose secret it proves."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from orchestrator.errors import BadInput, PortError
from orchestrator.ports import Clock
from orchestrator.rollout.resources.resource import Source
from orchestrator.server.webhooks.push import Delivery, Host, Message
from orchestrator.server.webhooks.same_repository import identity

KEY = "webhookSecret"
DEFAULT = "the setting webhooks.secret_ref"
MOST_VALUES = 8
FRESH = timedelta(seconds=5)  # one look at the sources serves all deliveries of this time
Secrets = tuple[bytes, ...]


@dataclass
class Subscribers:
    """`sources` lists them, `read` gives a Secret's data; both are asked at most once in FRESH."""

    sources: Callable[[], Sequence[Source]]
    read: Callable[[str, str], Mapping[str, bytes]]
    clock: Clock
    default: str = ""
    _places: dict[str, list[Source]] = field(default_factory=dict, repr=False)
    _names: dict[str, Source] = field(default_factory=dict, repr=False)
    _secrets: dict[str, Secrets] = field(default_factory=dict, repr=False)
    _since: datetime | None = field(default=None, repr=False)
    _lacking: PortError | None = field(
        default_factory=lambda: PortError("no source is known yet"), repr=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _nobody: bytes = field(default_factory=lambda: os.urandom(32), repr=False)

    def proven(self, host: Host, delivery: Delivery, message: Message) -> list[Source] | None:
        """The sources whose secret it proves and whose branch it pushes; None where it proves nothing.

        An unknown repository and a wrong signature look the same from outside, down to a comparison made.
        """
        with self._lock:
            named = self._named(message)
            secrets = [self._of(source) for source in named]
            default = self._values(self.default, DEFAULT)
        good = [s for s, own in zip(named, secrets, strict=True) if _any(host, delivery, own)]
        general = _any(host, delivery, default or (self._nobody,))
        if not good and not general:
            return None
        return [source for source in good if _wants(source, message)]

    def _named(self, message: Message) -> list[Source]:
        self._refresh()
        places = {identity(url) for url in message.urls}
        found = [source for place in places for source in self._places.get(place, ())]
        found += [self._names[name] for name in message.sources if name in self._names]
        return list({source.name: source for source in found}.values())

    def _refresh(self) -> None:
        """What stands; what stood lately, where the API server is out of reach. Raises PortError with neither."""
        now = self.clock.now()
        if self._since is None or now - self._since >= FRESH:
            self._since = now
            try:
                self._keep(self.sources())
            except PortError as error:
                self._lacking = error if self._lacking else None
        if self._lacking:
            raise self._lacking

    def _keep(self, found: Sequence[Source]) -> None:
        self._names, self._places, self._secrets = {s.name: s for s in found}, {}, {}
        for source in found:
            if place := identity(source.spec.git.url):
                self._places.setdefault(place, []).append(source)
        self._lacking = None

    def _of(self, source: Source) -> Secrets:
        own = source.spec.git.webhook_secret_ref
        if not own:
            return self._values(self.default, DEFAULT)
        return self._values(own, f"PolicySource {source.name} spec.git.webhookSecretRef")

    def _values(self, name: str, where: str) -> Secrets:
        """A line is a value: while one is exchanged, the old and the new one count."""
        if not name:
            return ()
        if name not in self._secrets:
            try:
                lines = self.read(name, where).get(KEY, b"").splitlines()
                found = tuple(v for line in lines if (v := line.strip()))[:MOST_VALUES]
            except (BadInput, PortError) as error:
                structlog.get_logger().warning("a webhook's secret cannot be read", error=str(error))
                found = ()
            self._secrets[name] = found
        return self._secrets[name]


def _any(host: Host, delivery: Delivery, secrets: Secrets) -> bool:
    """All are compared, whichever fits."""
    return sum(host.proves(delivery, secret) for secret in secrets) > 0


def _wants(source: Source, message: Message) -> bool:
    """Its branch, or a tag where it waits for signed ones."""
    git = source.spec.git
    if source.name in message.sources or not message.ref:
        return True
    if message.ref.startswith("refs/tags/"):
        return git.verify.mode == "tag"
    return message.ref == f"refs/heads/{git.branch}"
