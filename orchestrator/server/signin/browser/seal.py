"""Encrypts what goes into a cookie, so that whoever holds it can neither read nor change it."""

import base64
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from orchestrator.adapters.kube.secrets import Secrets
from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.ports import Clock
from orchestrator.server.signin.signin_settings import SignIn

AGAIN = timedelta(seconds=60)
LEAST, MOST_KEYS = 32, 5
Keys = Callable[[], Sequence[bytes]]


class Seal:
    """Authenticated encryption (Fernet) with rotation: the first key seals, each opens."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._made: dict[tuple[str, tuple[bytes, ...]], MultiFernet] = {}

    def close(self, purpose: str, text: bytes) -> str:
        """What only `open` of the same purpose can read."""
        return self._box(purpose).encrypt(text).decode().rstrip("=")

    def open(self, purpose: str, sealed: str) -> bytes | None:
        """What was sealed; None where it was not, or with keys that are gone, or for another purpose."""
        padded = sealed + "=" * (-len(sealed) % 4)
        try:
            if _spelled(base64.urlsafe_b64decode(padded)) != sealed:
                return None  # base64 passes over what its last character has to spare, and over what is no letter of it
            return self._box(purpose).decrypt(padded)
        except (InvalidToken, ValueError):
            return None

    def _box(self, purpose: str) -> MultiFernet:
        keys = tuple(self._keys())
        if (purpose, keys) not in self._made:
            self._made = {k: v for k, v in self._made.items() if k[1] == keys}
            self._made[purpose, keys] = MultiFernet([Fernet(_derived(key, purpose)) for key in keys])
        return self._made[purpose, keys]


def _spelled(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _derived(key: bytes, purpose: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"netpol-canary {purpose}".encode())
    return base64.urlsafe_b64encode(made.derive(key))


def keys(settings: SignIn, stored: Secrets, clock: Clock) -> Keys:
    """The keys that the settings name. Raises BadInput where there are none to be had."""
    if settings.keys_secret_ref:
        return Stored(settings.keys_secret_ref, stored, clock)
    given = tuple(key.get_secret_value().encode() for key in settings.keys)
    if not given:
        text = (
            "sessions end with this process, and other replicas do not know them: set keys or keys_secret_ref"
        )
        structlog.get_logger().warning(text)
        given = (secrets.token_bytes(32),)
    return lambda: given


class Stored:
    """Keys in a Secret, read again every minute; those known stay while it cannot be read.

    A new key opens at once and seals a minute later, when every other replica that is asked anything has read it.
    """

    def __init__(self, name: str, stored: Secrets, clock: Clock) -> None:
        self._name, self._stored, self._clock = name, stored, clock
        self._lock = threading.Lock()
        self._found = self._read()
        self._last = clock.now()

    def __call__(self) -> Sequence[bytes]:
        return self._found

    def stale(self) -> bool:
        """Whether it is time to read the Secret again."""
        return self._clock.now() - self._last >= AGAIN

    def refresh(self) -> None:
        """Read the Secret again where that is due; may wait for the API server."""
        with self._lock:
            if not self.stale():
                return
            self._last = self._clock.now()
            try:
                self._found = self._eased_in(self._read())
            except NetpolCanaryError as error:
                structlog.get_logger().warning("the keys of sessions stay as they are", error=str(error))

    def _eased_in(self, fresh: tuple[bytes, ...]) -> tuple[bytes, ...]:
        sealing = self._found[0]
        if fresh[0] in self._found or sealing not in fresh:
            return fresh
        return (sealing, *(key for key in fresh if key != sealing))

    def _read(self) -> tuple[bytes, ...]:
        where = f"signin.keys_secret_ref: the Secret {self._name}"
        data = self._stored.read(self._name, "signin.keys_secret_ref")
        found = [data[name].strip() for name in sorted(data, reverse=True)]
        hint = "put one to five keys in, each by `openssl rand -base64 32`"
        if not 1 <= len(found) <= MOST_KEYS:
            raise BadInput(f"holds {len(found)} keys", where, hint)
        if any(len(key) < LEAST for key in found):
            raise BadInput(f"holds a key of fewer than {LEAST} characters", where, hint)
        return tuple(found)
