"""`demo --serve`: the web pages over the sandbox, with a controller that picks up what is merged."""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from orchestrator.cli import logs
from orchestrator.cli.demo import past, shop_demo
from orchestrator.cli.process import stopping
from orchestrator.context import Context
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.errors import BadInput
from orchestrator.sandbox.people import People
from orchestrator.sandbox.world import World
from orchestrator.server import api, pages, signin
from orchestrator.server.listen import address, reason
from orchestrator.server.parts import Parts
from orchestrator.server.signin.signin_settings import SignIn

FACTOR = 10.0
POLL_SECONDS = 20.0  # of the sandbox, whose seconds are shorter
LEASE_SECONDS = 120.0
GRACE_SECONDS = 2


@dataclass(frozen=True)
class Stand:
    """A sandbox that is looked at: where it is served, and the repository to merge into."""

    app: FastAPI
    ctx: Context
    root: Path


def serve(listen: str, keep: Path | None) -> None:
    """Until SIGINT or SIGTERM. Raises BadInput."""
    host, port = address(listen)
    host = host or "127.0.0.1"
    logs.configure(level="error")
    # The server raises a signal once more when it has ended; its usual handler would leave the repository behind.
    with stopping() as stop, _bound(host, port) as bound, standing(keep, FACTOR) as stand:
        if stop.is_set():
            return
        print(f"The shop's policies are in Git at {stand.root}")
        print(f"Merge a change:  netpol-canary demo --merge good --keep {stand.root}    (or: --merge bad)")
        print(f"Time runs {FACTOR:g} times as quick as the clock on the wall. Ctrl-C ends it.")
        print(f"\nOpen http://{host}:{bound.getsockname()[1]}/ and choose who you are.", flush=True)
        server(stand.app).run(sockets=[bound])


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise BadInput(f"cannot listen on {host}:{port}: {reason(error)}", "--listen") from None


def server(app: FastAPI) -> uvicorn.Server:
    """A server that lets go of readers soon."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


@contextlib.contextmanager
def standing(keep: Path | None, factor: float) -> Iterator[Stand]:
    """The sandbox with its past, its time running and its controller at work."""
    with shop_demo.repository(keep) as root, tempfile.TemporaryDirectory() as cache:
        world, clock = past.world(factor)
        ctx = past.played(world, clock, root, Path(cache))
        with clock.running(), _controlled(ctx):
            yield Stand(application(ctx, world), ctx, root)


def application(ctx: Context, world: World) -> FastAPI:
    """Pages, their API and sign-in over the sandbox."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    parts = Parts(ctx, callers=People(world.cluster), people=past.PEOPLE)
    pages.install(app, parts)
    api.install(app, parts)
    signin.install(app, parts, SignIn(token=False, insecure=True, session_seconds=86400))
    return app


@contextlib.contextmanager
def _controlled(ctx: Context) -> Iterator[None]:
    stop = threading.Event()
    controller = Controller(
        ctx, "demo-controller", Instruments(), POLL_SECONDS, stop.is_set, lease_seconds=LEASE_SECONDS
    )
    thread = threading.Thread(target=controller.serve, name="controller", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
