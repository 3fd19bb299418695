"""Messages to people through apprise, in a process of its own that is killed at a deadline.

Its plugins have timeouts and readers of their own; here they can neither outlast the deadline nor fill this process's
memory, and an address of one machine's own desktop or log is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import BadInput, DeliveryError
from orchestrator.ports import Message
from orchestrator.rollout.resources import model as m

SECONDS = 20.0
MOST_URLS, MOST_REMEMBERED = 8, 1000
KEPT = (
    "PATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
)
EXTRA = "pip install 'netpol-canary[notifications]'"
Sent = OrderedDict[tuple[str, str], None]


class Messengers:
    """`read(name, where)` gives a Secret's data. Remembers which address has which message, while it lives."""

    def __init__(self, read: Callable[[str, str], Mapping[str, bytes]], seconds: float = SECONDS) -> None:
        self._read, self._seconds = read, seconds
        self._sent: Sent = OrderedDict()
        self._lock = threading.Lock()

    def get(self, given: m.Notification) -> AppriseMessenger:
        """Raises BadInput for a Secret without addresses."""
        where = f"notifications {given.name} secretRef"
        data = self._read(given.secret_ref, where)
        lines = data.get("url", b"").decode(errors="replace").splitlines()
        urls = [u.strip() for u in lines if u.strip() and not u.strip().startswith("#")]
        if not urls:
            raise BadInput(f"the Secret {given.secret_ref} holds no address", where, "give it the key `url`")
        if len(urls) > MOST_URLS:
            raise BadInput(f"the Secret {given.secret_ref} holds more than {MOST_URLS} addresses", where)
        return AppriseMessenger(given.name, tuple(urls), self)

    def missing(self, message: str, urls: Sequence[str]) -> list[str]:
        """The addresses that do not have it yet."""
        with self._lock:
            return [u for u in urls if (message, _digest(u)) not in self._sent]

    def note(self, message: str, urls: Sequence[str]) -> None:
        """These have it."""
        with self._lock:
            self._sent.update({(message, _digest(u)): None for u in urls})
            while len(self._sent) > MOST_REMEMBERED:
                self._sent.popitem(last=False)

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the process says; DeliveryError where it says nothing in time."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.adapters.notify.apprise_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            start_new_session=True,
        )
        try:
            text = json.dumps({**given, "seconds": self._seconds}).encode()
            out, _ = process.communicate(text, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise DeliveryError(f"no answer within {self._seconds:g} s") from None
        try:
            found: dict[str, Any] = json.loads(out)
        except ValueError:
            raise DeliveryError(f"the sender stopped with code {process.returncode}") from None
        return found


@dataclass(frozen=True, repr=False)
class AppriseMessenger:
    """Implements `Messenger`; an address that has the message is not given it again."""

    name: str
    urls: tuple[str, ...]
    messengers: Messengers

    def send(self, message: Message) -> None:
        """Raises DeliveryError where an address did not take it, BadInput where apprise is not installed."""
        left = self.messengers.missing(message.id, self.urls)
        if not left:
            return
        numbered = [(n, u) for n, u in enumerate(self.urls) if u in left]
        found = self.messengers.run({"urls": numbered, **asdict(message)})
        if found["problems"] == ["missing"]:
            raise BadInput("apprise is not installed", f"notifications {self.name}", EXTRA)
        self.messengers.note(message.id, [self.urls[n] for n in found["sent"]])
        if found["problems"]:
            raise DeliveryError(f"{self.name}: {'; '.join(found['problems'])}"[:600])


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _environment() -> dict[str, str]:
    """Nothing of this process but how to reach the network."""
    root = str(Path(__file__).parents[3])
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": root, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
