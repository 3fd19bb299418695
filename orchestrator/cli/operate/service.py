"""Runs what `serve` serves: HTTP in one thread, the controller in another, until SIGTERM or SIGINT."""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from orchestrator.cli import logs, wiring
from orchestrator.cli.app import Target
from orchestrator.cli.process import holder, stopping
from orchestrator.engine.controller import Controller
from orchestrator.engine.instruments import Instruments
from orchestrator.ports import Cluster
from orchestrator.server.http_app import create
from orchestrator.server.listen import address, listening
from orchestrator.server.parts import Callers, Parts
from orchestrator.server.settings import Settings, unknown

STOP = timedelta(seconds=20)  # of the 30 s that a pod gets
LINGER_SECONDS = 1.0


def run(settings: Settings) -> int:
    """0 once stopped. Raises BadInput, and whatever ended the controller by itself."""
    from orchestrator.adapters.kube.cluster import connect
    from orchestrator.adapters.kube.counted import CountedCluster

    where = address(settings.listen)
    logs.configure(settings.log, settings.log_level)
    if strange := unknown(os.environ):
        structlog.get_logger().warning(
            "variables that set nothing; docs/settings.md lists those that do", names=strange
        )
    instruments = Instruments()
    with stopping() as stop:
        api = connect(settings.kubeconfig, settings.context)
        ended = serve(settings, CountedCluster(api, instruments.called), api, instruments, where, stop)
        if not ended or _lingering():
            # A call outlasts the time that there is. Whoever comes next goes on from the cluster, as after a crash.
            structlog.get_logger().warning("stopped in the middle of a call")
            sys.stderr.flush()
            os._exit(0)
    return 0


def _lingering() -> bool:
    """Whether threads are left that the interpreter would wait for."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(LINGER_SECONDS)
            if thread.is_alive():
                return True
    return False


def serve(
    settings: Settings,
    cluster: Cluster,
    callers: Callers | None,
    instruments: Instruments,
    where: tuple[str, int],
    stop: threading.Event,
) -> bool:
    """Until `stop` is set, then for at most STOP; False where the controller has not ended by then.

    `callers` calls the same cluster in the name of those who sign in. Raises what ended the controller by itself.
    """
    target = Target(
        settings.namespace, settings.context, settings.kubeconfig, settings.secrets, settings.probe_image
    )
    ctx = wiring.over(cluster, target, stop, lambda: settings.identity)
    given, name = settings.controller, holder()
    found = Controller(
        ctx,
        name,
        instruments,
        given.poll_seconds,
        stop.is_set,
        most_seconds=given.most_poll_seconds,
        most_rollouts=given.most_rollouts,
        most_namespaces=given.most_namespaces,
        elsewhere=wiring.waves(),
        courier=wiring.courier(
            ctx, target, name, _pages(settings), told=instruments.delivered, stop=stop.is_set
        ),
    )
    work = Work(found.serve if given.enabled else stop.wait, stop)
    ready = found.ready if given.enabled else (lambda: True)
    parts = Parts(ctx, ready, settings.secrets, callers, registry=instruments.registry)
    app = create(parts, settings)
    with listening(app, where, settings.max_connections, stop.set):
        work.begin()
        stop.wait()
        end = ctx.clock.now() + STOP
    return work.ended((end - ctx.clock.now()).total_seconds())


def _pages(settings: Settings) -> str:
    """Where people reach the pages, for links."""
    return settings.pages.url or settings.signin.external_url


@dataclass
class Work:
    """One thread; when it ends for whatever reason, everything is stopped."""

    work: Callable[[], object]
    stop: threading.Event
    _failed: list[BaseException] = field(default_factory=list, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="controller", daemon=True)
        self._thread.start()

    def ended(self, seconds: float) -> bool:
        """Wait for its end, for so many seconds at most; whether it came. Raises what ended it.

        Until then the interpreter would wait for the threads of its pools, though they are daemons as it is.
        """
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))
        if self._failed:
            raise self._failed[0]
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self._failed.append(error)
        finally:
            self.stop.set()
