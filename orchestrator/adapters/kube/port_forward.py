"""Connections to a port of a pod through the API server, with the rights of whoever calls (`create pods/portforward`).

A connection is a websocket of the protocol v4.channel.k8s.io: the first byte of a message is its channel, 0 for data and 1
for errors, and the first message of each channel is the port (Kubernetes, pkg/kubelet, "port forwarding over websockets").
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from orchestrator.adapters.request_log import Exchange, told
from orchestrator.errors import ApiError, Forbidden, NotFound, Unreachable

PROTOCOL = "v4.channel.k8s.io"
DATA = 0  # the other channel, 1, has what went wrong
CHUNK = 65536


class PodPort:
    """One port of one pod; `api` is an ApiClient, and `seconds` are what opening a connection may take."""

    def __init__(self, api: Any, namespace: str, pod: str, port: int, seconds: float) -> None:
        self._api, self._seconds = api, seconds
        self.name = f"{namespace}/{pod}"
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
        self._url = api.configuration.host.rstrip("/") + path

    def open(self) -> socket.socket:
        """A connection as a socket of this process. Raises Forbidden, NotFound, ApiError, Unreachable."""
        found = self._connected()
        ours, theirs = socket.socketpair()
        tunnel = _Tunnel(found, theirs)
        for work in (tunnel.outward, tunnel.inward):
            threading.Thread(target=work, name="port-forward", daemon=True).start()
        return ours

    def _connected(self) -> Any:
        import websocket

        headers: dict[str, str] = {}
        self._api.update_params_for_auth(headers, [], ["BearerToken"], self._url, "GET", None)
        settings = self._api.configuration
        with told(Exchange("GET", self._url, headers)) as exchange:
            try:
                found = websocket.create_connection(
                    "ws" + self._url.removeprefix("http"),
                    timeout=self._seconds,
                    sslopt=_tls(settings),
                    header=headers,
                    subprotocols=[PROTOCOL],
                    suppress_origin=True,
                    **_proxy(settings),
                )
            except websocket.WebSocketBadStatusException as error:
                exchange.outcome = str(error.status_code)
                raise _refused(error, self.name) from None
            except (websocket.WebSocketException, OSError) as error:
                text = " ".join(str(error).split())[:300]
                raise Unreachable(f"no connection to the pod {self.name} by the API server: {text}") from None
            exchange.outcome = "101"
        found.settimeout(None)
        return found


def _refused(error: Any, name: str) -> ApiError:
    """The API server's own words, where there are any."""
    try:
        text = str(json.loads(error.resp_body)["message"])
    except (TypeError, ValueError, KeyError):
        text = f"HTTP {error.status_code}"
    kind = {401: Forbidden, 403: Forbidden, 404: NotFound}.get(error.status_code, ApiError)
    return kind(f"no connection to the pod {name}: {text}"[:1000], error.status_code)


def _proxy(settings: Any) -> dict[str, Any]:
    if not settings.proxy:
        return {}
    found = urlsplit(settings.proxy)
    return {"http_proxy_host": found.hostname, "http_proxy_port": found.port, "proxy_type": "http"}


def _tls(settings: Any) -> dict[str, Any]:
    """As the client's own requests are made."""
    context = ssl.create_default_context(cafile=settings.ssl_ca_cert, cadata=settings.ca_cert_data)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # clusters' own authorities rarely are as strict as that
    if settings.assert_hostname is False or not settings.verify_ssl:
        context.check_hostname = False
    if not settings.verify_ssl:
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    named = {"server_hostname": settings.tls_server_name} if settings.tls_server_name else {}
    return {"context": context, **named}


class _Tunnel:
    """What comes by a socket goes out by a websocket, and the other way round; each end ends the other."""

    def __init__(self, found: Any, end: socket.socket) -> None:
        self._websocket, self._end = found, end

    def outward(self) -> None:
        with suppress(Exception):
            while part := self._end.recv(CHUNK):
                self._websocket.send_binary(bytes([DATA]) + part)
        self._close()

    def inward(self) -> None:
        begun: set[int] = set()
        with suppress(Exception):
            while message := self._websocket.recv():
                channel, part = message[0], message[1:]
                if channel not in begun:
                    begun.add(channel)
                elif channel == DATA:
                    self._end.sendall(part)
                elif part:
                    break  # the port does not answer
        self._close()

    def _close(self) -> None:
        with suppress(Exception):
            self._websocket.close(timeout=1)
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()
