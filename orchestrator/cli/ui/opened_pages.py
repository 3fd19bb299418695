"""`ui`: the web pages of an installation in a browser, by one command."""

import os
import socket
import sys
import threading
import webbrowser
from dataclasses import dataclass, field

from orchestrator.adapters.kube.cluster import KubernetesCluster, connect
from orchestrator.cli.app import Target
from orchestrator.cli.printing import note
from orchestrator.cli.process import stopping
from orchestrator.cli.ui.local_pages import LocalPages
from orchestrator.cli.ui.pages_pod import pages_pods
from orchestrator.cli.ui.signed_in import SignedIn
from orchestrator.errors import Forbidden, PortError

SECONDS = 10.0  # that a pod has to be connected with, and to begin an answer


@dataclass
class PagesConnections:
    """Connections to one pod of the Service, for sessions are that pod's own; to another one where it does not answer."""

    cluster: KubernetesCluster
    namespace: str
    service: str
    _pod: str = ""
    _port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self) -> socket.socket:
        """Raises Forbidden where the caller may not, else the error of the last pod."""
        with self._lock:
            if self._pod:
                try:
                    return self._to(self._pod, self._port)
                except Forbidden:
                    raise
                except PortError:
                    pass
            return self._chosen()

    def _chosen(self) -> socket.socket:
        failed: PortError | None = None
        for pod in pages_pods(self.cluster, self.namespace, self.service):
            try:
                found = self._to(pod.name, pod.port)
            except Forbidden as error:
                text = f"{error}; `ui` needs the rights of netpol-canary-pages (docs/web.md)"
                raise Forbidden(text, error.status) from None
            except PortError as error:
                failed = error
                continue
            self._pod, self._port = pod.name, pod.port
            return found
        raise failed or PortError("no pod answers")

    def _to(self, pod: str, port: int) -> socket.socket:
        return self.cluster.port_forward(pod, self.namespace, port, SECONDS)


def ui(target: Target, service: str, port: int, browser: bool) -> int:
    """Until SIGINT or SIGTERM, then 0. Raises BadInput, Refused, PortError."""
    with stopping() as stop:
        cluster = connect(target.kubeconfig, target.context)
        connections = PagesConnections(cluster, target.namespace, service)
        pages = SignedIn(connections.open, cluster.token, SECONDS)
        if not pages.sign_in():
            note(
                "the kubeconfig's user has no token, and a client certificate signs nobody in: paste a token into the page"
            )
            pages.ask("GET", "/signin", {}).close()
        local = LocalPages(pages, port)
        with local.serving():
            print(f"The pages of {target.namespace}/{service} are at\n\n  {local.url}\n")
            print("Whoever has this address acts there as you. Ctrl-C ends it.", flush=True)
            if browser and _graphical():
                webbrowser.open(local.url)
            stop.wait()
    return 0


def _graphical() -> bool:
    """Whether a browser would have a window of its own, and not take this terminal."""
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
