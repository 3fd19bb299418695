"""A bearer token in a file that something else keeps fresh, such as a projected ServiceAccount token."""

import os
import stat
from collections import deque
from collections.abc import Mapping

from orchestrator.adapters.http.proof import Outgoing
from orchestrator.adapters.identities.renewed_token import MOST_CHARACTERS, REFUSED, sendable
from orchestrator.errors import IdentityError


class FileToken:
    """Implements `Identity`: reads the file for each request, so that one that took its place counts at once."""

    def __init__(self, name: str, path: str) -> None:
        self._name, self._path = name, path
        self._lately: deque[str] = deque(maxlen=4)

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        token = self._read()
        if token not in self._lately:
            self._lately.append(token)
        return {"Authorization": f"Bearer {token}"}

    def renewed(self, status: int, used: Mapping[str, str]) -> bool:
        """Where another token has come into the file meanwhile."""
        return status == REFUSED and used["Authorization"] != f"Bearer {self._read()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(self._lately)

    def _read(self) -> str:
        try:
            # What is no file must not be waited for.
            handle = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as opened:
                regular = stat.S_ISREG(os.fstat(handle).st_mode)
                raw = opened.read(MOST_CHARACTERS + 1) if regular else b""
        except OSError as error:
            raise IdentityError(f"the file of the token {self._name}: {error.strerror}") from None
        if not regular:
            raise IdentityError(f"the file of the token {self._name} is no regular file")
        token = raw.decode(errors="replace").strip()
        if not token:
            raise IdentityError(f"the file of the token {self._name} is empty")
        if not sendable(token) or len(raw) > MOST_CHARACTERS:
            raise IdentityError(f"the file of the token {self._name} holds something that is no token")
        return token
