"""`ui`: the web pages of an installation in a browser, by one command."""

import os
import socket
import sys
import threading
import webbrowser
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from orchestrator.adapters.kube.cluster import KubernetesCluster, connect
from orchestrator.cli.app import Target
from orchestrator.cli.printing import note
from orchestrator.cli.process import stopping
from orchestrator.cli.ui.local_pages import LocalPages
from orchestrator.cli.ui.pages_pod import PagesPod, pages_pods
from orchestrator.cli.ui.signed_in import SignedIn
from orchestrator.errors import Forbidden, PortError

SECONDS = 10.0  # that a pod has to be connected with, and to begin an answer


@dataclass
class PagesConnections:
    """Connections to one pod of the Service, for sessions are that pod's own; to another one where it does not answer."""

    cluster: KubernetesCluster
    namespace: str
    service: str
    _pod: PagesPod | None = None
    _of: WeakKeyDictionary[socket.socket, PagesPod] = field(default_factory=WeakKeyDictionary, repr=False)
    _silent: dict[str, int] = field(default_factory=dict)  # when each pod last gave no answer, as a count
    _pods: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self) -> socket.socket:
        """Raises Forbidden where the caller may not, else the error of the last pod."""
        with self._lock:
            if self._pod:
                try:
                    return self._to(self._pod)
                except Forbidden:
                    raise
                except PortError:
                    pass
            return self._chosen()

    def lost(self, end: socket.socket) -> int:
        """Takes note that a connection of `open` gave no answer, and says how many pods there are.

        The API server opens a connection to a port that is closed as to one that is not.
        """
        with self._lock:
            pod = self._of[end]
            self._silent[pod.name] = max(self._silent.values(), default=0) + 1
            if self._pod == pod:
                self._pod = None
            return self._pods

    def _chosen(self) -> socket.socket:
        failed: PortError | None = None
        pods = pages_pods(self.cluster, self.namespace, self.service)
        self._pods = len(pods)
        for pod in sorted(pods, key=lambda one: self._silent.get(one.name, 0)):
            try:
                found = self._to(pod)
            except Forbidden as error:
                text = f"{error}; `ui` needs the rights of netpol-canary-pages (docs/web.md)"
                raise Forbidden(text, error.status) from None
            except PortError as error:
                failed = error
                continue
            self._pod = pod
            return found
        raise failed or PortError("no pod answers")

    def _to(self, pod: PagesPod) -> socket.socket:
        end = self.cluster.port_forward(pod.name, self.namespace, pod.port, SECONDS)
        self._of[end] = pod
        return end


def ui(target: Target, service: str, port: int, browser: bool) -> int:
    """Until SIGINT or SIGTERM, then 0. Raises BadInput, Refused, PortError."""
    with stopping() as stop:
        cluster = connect(target.kubeconfig, target.context)
        connections = PagesConnections(cluster, target.namespace, service)
        pages = SignedIn(connections.open, cluster.token, SECONDS, connections.lost)
        if not pages.sign_in():
            note(
                "the kubeconfig's user has no token, and a client certificate signs nobody in: paste a token into the page"
            )
            pages.ask("GET", "/signin", {}).close()
        local = LocalPages(pages, port)
        with local.serving():
            print(f"The pages of {target.namespace}/{service} are at\n\n  {local.new_url()}\n")
            print("It opens once, and whoever opens it acts there as you. Ctrl-C ends it.", flush=True)
            if browser and _graphical():
                webbrowser.open(local.new_url())
            stop.wait()
    return 0


def _graphical() -> bool:
    """Whether a browser would have a window of its own, and not take this terminal."""
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
