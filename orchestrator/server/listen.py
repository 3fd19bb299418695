"""Serves an application on an address, in a thread of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from orchestrator.errors import BadInput, NetpolCanaryError
from orchestrator.server.header_timeout import Patient

START_SECONDS = 10.0
GRACE_SECONDS = 8
FLUSH_SECONDS = 6.0  # what runs beside the application may take so long to end
IDLE_SECONDS = 30


def address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `:PORT`. Raises BadInput."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not port.isascii() or int(port) > 65535:
        raise BadInput(f"{text} is not HOST:PORT", "--listen")
    return host.strip("[]"), int(port)


def reason(error: OSError) -> str:
    """What went wrong, without the address that create_server adds."""
    return (error.strerror or str(error)).partition(" (while attempting")[0]


@contextmanager
def listening(
    app: FastAPI, where: tuple[str, int], connections: int, ended: Callable[[], None] = lambda: None
) -> Iterator[int]:
    """Until the end of the block, then requests in flight get GRACE_SECONDS; gives the port.

    `ended` is called when it stops by itself. Raises BadInput where the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    try:
        bound = socket.create_server(where, family=family, backlog=512)
    except OSError as error:
        raise BadInput(f"cannot listen on {where[0]}:{where[1]}: {reason(error)}", "--listen") from None
    server, over = _Server(_config(app, connections)), threading.Event()

    def work() -> None:
        try:
            server.run(sockets=[bound])
        except Exception as error:
            structlog.get_logger().error("the HTTP server ended", error=repr(error))
        finally:
            over.set()
            server.up.set()
            ended()

    with bound:
        thread = threading.Thread(target=work, name="http", daemon=True)
        thread.start()
        try:
            if not server.up.wait(START_SECONDS) or over.is_set():
                raise NetpolCanaryError(f"nothing answers on {where[0]}:{where[1]}")
            yield int(bound.getsockname()[1])
            if over.is_set():
                raise NetpolCanaryError("the HTTP server ended by itself")
        finally:
            server.should_exit = True
            thread.join(GRACE_SECONDS + FLUSH_SECONDS)


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


def _config(app: FastAPI, connections: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Patient,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",  # what a handler raises is logged by the application
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=connections,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
