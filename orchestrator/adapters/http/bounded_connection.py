"""Connections that end: no step of an exchange outlasts its deadline, however a server drips, and no bytes are without end.

A timeout of requests starts anew with every address that is tried and with every byte that comes.
"""

import http.client
import io
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema

from orchestrator.adapters.http.allowed_addresses import allowed
from orchestrator.adapters.http.deadline import Deadline

HEAD_BYTES = 1 << 20


class TooLarge(ValueError):
    """An answer is longer than it may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"its answer is larger than {most >> 20} MiB")


class BoundedAdapter(HTTPAdapter):
    """Sends requests of which everything, from the name's resolution on, ends by the deadline.

    An answer comes with at most twice `most` bytes and a head: what its chunks are framed with counts, too.
    """

    def __init__(self, deadline: Deadline, most: int) -> None:
        self._bounds = {"deadline": deadline, "most": most}
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type("BoundedConnection", (_Bounded, pool.ConnectionCls), self._bounds)
        return pool

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            raise InvalidSchema("a SOCKS proxy cannot be used, only one of HTTP")
        return super().proxy_manager_for(proxy, **kwargs)


class _Bounded:
    """Goes before a connection of urllib3."""

    deadline: Deadline
    most: int

    def _new_conn(self) -> socket.socket:
        me: Any = self
        failed: OSError = OSError("its name has no address")
        for family, kind, proto, _, address in socket.getaddrinfo(
            me._dns_host, me.port, type=socket.SOCK_STREAM
        ):
            if not allowed(str(address[0])):
                raise PermissionError(f"{address[0]} is the machine's own metadata, which is never asked")
            sock = socket.socket(family, kind, proto)
            try:
                for option in me.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(self.deadline.patience())
                sock.connect(address)
                sock.settimeout(self.deadline.patience())  # for the handshake of TLS
                return sock
            except OSError as error:
                sock.close()
                failed = error
        raise failed

    def send(self, data: Any) -> None:
        me: Any = self
        if me.sock is not None:
            me.sock.settimeout(self.deadline.patience())
        super().send(data)  # type: ignore[misc]

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        return http.client.HTTPResponse(_Reading(sock, self.deadline, self.most), *args, **kwargs)  # type: ignore[arg-type]


class _Reading:
    """What http.client wants of a socket that it reads an answer from."""

    def __init__(self, *given: Any) -> None:
        self._given = given

    def makefile(self, *args: Any, **kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_Patient(*self._given))


class _Patient(io.RawIOBase):
    """Reads from a socket, each time with no more patience than is left."""

    def __init__(self, sock: Any, deadline: Deadline, most: int) -> None:
        self._sock, self._deadline, self._most = sock, deadline, most
        self._left = 2 * most + HEAD_BYTES
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is closed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.patience())
        found: int | None = self._raw.readinto(buffer)
        self._left -= found or 0
        if self._left < 0:
            raise TooLarge(self._most)
        return found

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
