"""`demo --serve`: the web pages over the sandbox, and its API for the command line, with a controller that picks up what is merged."""

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
from orchestrator.cli.demo import demo_api, past, shop_demo
from orchestrator.cli.demo.show import typed
from orchestrator.cli.process import stopping
from orchestrator.context import Context
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.errors import BadInput
from orchestrator.sandbox.cluster import MemoryCluster
from orchestrator.sandbox.people import People
from orchestrator.sandbox.shop_source import SOURCE_NAME
from orchestrator.sandbox.world import World
from orchestrator.server import api, pages, signin
from orchestrator.server.listen import address, reason
from orchestrator.server.parts import Parts
from orchestrator.server.signin.signin_settings import SignIn

FACTOR = 10.0
POLL_SECONDS = 20.0  # of the sandbox, whose seconds are shorter
LEASE_SECONDS = 120.0
GRACE_SECONDS = 2
LOOPBACK = "127.0.0.1"
CALLER = "ben"  # of the command line: one who may approve what waits


@dataclass(frozen=True)
class Stand:
    """A sandbox that is looked at: its pages, its cluster, and the repository to merge into."""

    app: FastAPI
    ctx: Context
    root: Path
    cluster: MemoryCluster


def serve(listen: str, keep: Path | None) -> None:
    """Until SIGINT or SIGTERM. Raises BadInput."""
    host, port = address(listen)
    host = host or LOOPBACK
    logs.configure(level="error")
    # The server raises a signal once more when it has ended; its usual handler would leave the repository behind.
    with (
        stopping() as stop,
        _bound(host, port) as bound,
        standing(keep, FACTOR) as stand,
        reachable(stand) as kubeconfig,
    ):
        if stop.is_set():
            return
        for line in _welcome(stand.root.resolve(), kubeconfig, f"http://{host}:{bound.getsockname()[1]}/"):
            print(line, flush=True)
        server(stand.app).run(sockets=[bound])


def _welcome(root: Path, kubeconfig: Path, address_: str) -> Iterator[str]:
    """What may be typed in another terminal, and where the pages are."""
    own = typed()
    yield f"The shop's policies are in Git at {root}; a change of them waits for an approval. In another terminal:"
    yield ""
    yield f"  export KUBECONFIG={kubeconfig}"
    yield f"  {own} get rollouts    # as {CALLER}; with --context ann or carol as somebody else"
    yield f"  {own} explain {SOURCE_NAME}"
    yield f"  {own} demo --merge bad --keep {root}    # or good: it goes once the first is approved or rejected"
    yield f"  {own} approve {SOURCE_NAME} -m 'the canary looks good'"
    yield f"  {own} watch {SOURCE_NAME}"
    yield ""
    yield f"Time runs {FACTOR:g} times as quick as the clock on the wall. Ctrl-C ends it."
    yield f"Open {address_} and choose who you are."


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
            yield Stand(application(ctx, world), ctx, root, world.cluster)


@contextlib.contextmanager
def reachable(stand: Stand) -> Iterator[Path]:
    """A kubeconfig for the sandbox, whose API answers on the loopback address alone; both are gone afterwards."""
    people = sorted(past.PEOPLE, key=lambda person: person.user != CALLER)
    given = demo_api.tokens(people)
    with tempfile.TemporaryDirectory(prefix="netpol-canary-demo-") as folder, _bound(LOOPBACK, 0) as bound:
        path = Path(folder) / "kubeconfig"
        address_ = f"http://{LOOPBACK}:{bound.getsockname()[1]}"
        demo_api.kubeconfig(path, address_, given, stand.ctx.namespace)
        serving = server(demo_api.application(stand.cluster, given))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [bound]}, name="api", daemon=True)
        thread.start()
        try:
            yield path
        finally:
            serving.should_exit = True
            thread.join(2 * GRACE_SECONDS)


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
