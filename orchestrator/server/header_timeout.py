"""HTTP connections whose requests begin within a time: a client that drips its headers holds none for long.

Over the limit of connections it is still said that the process lives, or whoever floods it would have it restarted.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
ALIVE = b"GET /healthz "


class Patient(H11Protocol):
    """uvicorn bounds what is idle after a request; this bounds what comes before one."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        self.limit_concurrency = None if data.startswith(ALIVE) else self.config.limit_concurrency
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._calm()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _calm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
