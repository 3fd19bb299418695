"""Tries connections from the pod that it runs in, and tells what came of them: the program `netpol-canary-probe`.

One file on the standard library of Python 3.9 or later, which imports nothing of this project: it is copied into
images alone. Its work is a JSON object, as the only argument or in NETPOL_CANARY_PROBE_WORK, at most 64 KiB:

    {"mode": "test", "seconds": 45, "stable": 5, "timeout": 1.5, "probes": [
        {"host": "10.0.0.7", "port": 80, "protocol": "TCP", "check": "connect", "reach": true, "nonce": false}]}

test    every probe, in rounds, until all answers have been the expected ones for half of `stable` seconds, or none
        has changed for all of it, or `seconds` are over: policies are not in force at once for a new pod, and what
        the first attempts say may be the opposite of what holds. So an answer that is not the expected one is not
        believed before the pod has run for `ready` seconds, and longer where its node is so busy that we run late
hold    opens each connection once and keeps it in use for `seconds`, or until SIGTERM
listen  answers nonces on `port`, TCP and UDP, for `seconds` (0: until SIGTERM)

What comes of it is one JSON object (its shape: `summary`), as the last line on standard output, and in the
container's termination message as far as that holds it. The exit code is 0 where it ran, whatever the answers,
and 2 where the work cannot be read.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import os
import selectors
import signal
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

VERSION = 1
WORK = "NETPOL_CANARY_PROBE_WORK"
MESSAGE = "NETPOL_CANARY_PROBE_MESSAGE"
MESSAGE_FILE = "/dev/termination-log"
MOST_WORK = 64 * 1024
MOST_MESSAGE = 4096  # what the kubelet keeps of a termination message, in bytes
MOST_PROBES = 400
MOST_THREADS = 16  # a burst of connections would take the node's time from its applications
MOST_CLIENTS = 256
MOST_LINE = 256
MOST_ANSWER = 64 * 1024
PAUSE = 0.5  # seconds between two rounds
LATE = 0.1  # seconds by which a pause may be longer on a node that is not busy
TICK = 0.5  # seconds between two looks at connections that are held
TOLD = 2.0  # seconds between two lines about them
SILENCE = 5  # seconds without a sign of the peer after which a held connection is broken
LAST_ACK = 56  # where Linux' struct tcp_info has tcpi_last_ack_recv, in milliseconds
HELLO = b"netpol-canary-probe "
HTTP = b"HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: netpol-canary-probe\r\nConnection: %s\r\n\r\n"
QUESTION = b"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"  # its A record
NO = ("refused", "timeout", "reset", "closed", "unreachable", "unresolved")
Answer = tuple[str, str]
_ERRORS = {
    errno.ECONNREFUSED: "refused",
    errno.EPERM: "refused",  # a filter in this pod's own kernel
    errno.EACCES: "refused",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EPROTONOSUPPORT: "unsupported",
    errno.EAFNOSUPPORT: "unsupported",
    errno.ESOCKTNOSUPPORT: "unsupported",
}


class Target(NamedTuple):
    """One connection to try. `nonce`: our own listener stands there and must give a nonce back."""

    host: str
    port: int
    protocol: str = "TCP"
    check: str = "connect"
    reach: bool = True
    nonce: bool = False


class Unresolved(OSError):
    """The host name has no address, or nobody said so in time."""


def main() -> int:
    """Read the work, do it, tell what came of it."""
    # glibc's resolver would wait for 5 s a try; it reads this when it is first used.
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")
    text = sys.argv[1] if len(sys.argv) > 1 else os.environ.get(WORK, "")
    if text in ("-h", "--help"):
        print(__doc__)
        return 0
    try:
        work = read(text)
    except (KeyError, TypeError, ValueError) as error:
        told = f"the work in {WORK} cannot be read: {error}"
        print(told, file=sys.stderr)
        _message(told)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if work["mode"] == "listen":
        listen(work["port"], work["seconds"], stop)
        return 0
    done = (test if work["mode"] == "test" else hold)(work, stop)
    print(json.dumps(done, separators=(",", ":")), flush=True)
    _message(fitting(done))
    return 0


def read(text: str) -> dict[str, Any]:
    """The work with its defaults. Raises ValueError, TypeError or KeyError for what is no work."""
    if len(text.encode()) > MOST_WORK:
        raise ValueError(f"it has more than {MOST_WORK} bytes")
    given = json.loads(text)
    work = {
        "mode": given["mode"],
        "seconds": float(given.get("seconds", 30)),
        "stable": float(given.get("stable", 5)),
        "ready": float(given.get("ready", 0)),
        "timeout": min(max(float(given.get("timeout", 1.5)), 0.1), 10.0),
        "port": int(given.get("port", 8080)),
        "probes": [Target(**probe) for probe in given.get("probes", [])],
    }
    if work["mode"] not in ("test", "hold", "listen"):
        raise ValueError(f"there is no mode {work['mode']}")
    if len(work["probes"]) > MOST_PROBES:
        raise ValueError(f"there are more than {MOST_PROBES} probes")
    return work


def summary(mode: str, ended: str, began: float, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What came of it. A row stands for the probe of the same number; times in seconds:

    test   [last answer, its duration, attempts, how many connected, 1 where that is settled, detail]
    hold   [open, broke, closed or never, the answer that ended it, how long it was open, how long ago it ended,
            how long ago the peer was heard, detail]

    `ended` is expected, unchanged or limit for test; running, over or limit for hold; stopped after a SIGTERM.
    """
    seconds = round(time.monotonic() - began, 3)
    return {
        "v": VERSION,
        "mode": mode,
        "ended": ended,
        "seconds": seconds,
        "results": [list(r) for r in rows],
    }


def fitting(done: dict[str, Any]) -> str:
    """As a termination message; how many results there are in the log, where they do not fit into it."""
    text = json.dumps(done, separators=(",", ":"))
    if len(text.encode()) <= MOST_MESSAGE:
        return text
    short = {**done, "results": "in the log", "count": len(done["results"])}
    return json.dumps(short, separators=(",", ":"))


def _message(text: str) -> None:
    path = os.environ.get(MESSAGE, MESSAGE_FILE)
    if os.path.exists(path):  # the kubelet makes it; elsewhere none is wanted
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def _say(**facts: Any) -> None:
    print(json.dumps(facts, separators=(",", ":")), flush=True)


# One attempt


def attempt(target: Target, timeout: float) -> Answer:
    """What comes of one connection: connected, one of NO, or unsupported, other or error, and a detail."""
    try:
        if target.protocol == "SCTP":
            with _opened(target, timeout, socket.SOCK_STREAM, 132):
                return "connected", ""
        if target.protocol == "UDP":
            with _opened(target, timeout, socket.SOCK_DGRAM, 0) as sock:
                return _datagrams(sock, target, timeout)
        with _opened(target, timeout, socket.SOCK_STREAM, 0) as sock:
            return _spoken(sock, target)
    except Unresolved as error:
        return "unresolved", str(error)
    except OSError as error:
        return named(error)


def named(error: OSError) -> Answer:
    """The answer that an error stands for."""
    if isinstance(error, socket.timeout):
        return "timeout", ""
    found = _ERRORS.get(error.errno or 0)
    return (found, "") if found else ("error", str(error)[:80])


def _opened(target: Target, timeout: float, kind: int, number: int) -> socket.socket:
    last: OSError = Unresolved(f"{target.host} has no address")
    for family, address in resolved(target.host, target.port, timeout)[:2]:
        sock = socket.socket(family, kind, number)
        try:
            sock.settimeout(timeout)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            last = error
    raise last


_lookups: dict[str, tuple[threading.Thread, list[Any]]] = {}
_lock = threading.Lock()


def resolved(host: str, port: int, timeout: float) -> list[tuple[int, Any]]:
    """The families and addresses of a host. Raises Unresolved.

    The C library's lookup takes no timeout: it runs in a thread of its own, one a name at a time.
    """
    try:
        family = {4: socket.AF_INET, 6: socket.AF_INET6}[ipaddress.ip_address(host).version]
        return [(family, (host, port))]
    except ValueError:
        pass
    with _lock:
        thread, found = _lookups.get(host, (None, []))
        if thread is None or not thread.is_alive():
            found = []
            thread = threading.Thread(target=_look_up, args=(host, found), daemon=True)
            _lookups[host] = (thread, found)
            thread.start()
    thread.join(timeout)
    if not found:
        raise Unresolved(
            "nobody says its address in time" if thread.is_alive() else "the name has no address"
        )
    return [(family, (address[0], port)) for family, _, _, _, address in found]


def _look_up(host: str, found: list[Any]) -> None:
    try:
        found += socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return


def _spoken(sock: socket.socket, target: Target) -> Answer:
    """What a TCP connection is good for, once it is open. Any answer at all shows that packets pass."""
    if target.nonce:
        line = HELLO + os.urandom(12).hex().encode() + b"\n"
        sock.sendall(line)
        return ("connected", "nonce") if _line(sock, len(line)) == line else ("other", "no nonce came back")
    if target.check == "http":
        sock.sendall(HTTP % (target.host.encode(), b"close"))
        first = _line(sock, MOST_LINE)
        if not first:
            return "closed", "without an answer"
        is_http = first.startswith(b"HTTP/")
        return "connected", "HTTP " + first[9:12].decode("ascii", "replace") if is_http else "not HTTP"
    if target.check == "tls":
        return _handshake(sock, target)
    if target.check == "dns":
        mark = os.urandom(2)
        query = _query(mark)
        sock.sendall(struct.pack(">H", len(query)) + query)
        return _resolver(sock.recv(MOST_LINE)[2:], mark) or ("closed", "without an answer")
    return "connected", ""


def _line(sock: socket.socket, most: int) -> bytes:
    found = b""
    while len(found) < most and not found.endswith(b"\n"):
        part = sock.recv(most - len(found))
        if not part:
            break
        found += part
    return found


def _handshake(sock: socket.socket, target: Target) -> Answer:
    try:
        with _tls(target).wrap_socket(sock, server_hostname=target.host) as inner:
            return "connected", inner.version() or ""
    except ssl.SSLEOFError:
        return "closed", "during the handshake"
    except ssl.SSLError as error:
        return "connected", f"no TLS: {error.reason}"[:80]


def _tls(target: Target) -> ssl.SSLContext:
    """Who the server is does not matter here, only that it answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the authorities, which take long to load
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _query(mark: bytes) -> bytes:
    return mark + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + QUESTION


def _resolver(answer: bytes, mark: bytes) -> Answer | None:
    """Any answer of a resolver to this question, whatever it says; None for something else."""
    if len(answer) < 4 or answer[:2] != mark or not answer[2] & 0x80:
        return None
    return "connected", f"DNS rcode {answer[3] & 0x0F}"


def _datagrams(sock: socket.socket, target: Target, timeout: float) -> Answer:
    """Two datagrams, half of the time apart; an ICMP refusal arrives as an error. Port 53 is asked as a resolver."""
    mark = os.urandom(2)
    dns = target.check == "dns" or (target.port == 53 and not target.nonce)
    sent = _query(mark) if dns else HELLO + mark.hex().encode() + b"\n"
    sock.settimeout(timeout / 2)
    for _ in range(2):
        sock.send(sent)
        try:
            got = sock.recv(MOST_ANSWER)
        except socket.timeout:  # noqa: UP041
            continue
        if dns:
            return _resolver(got, mark) or ("connected", "not DNS")
        if target.nonce and got != sent:
            return "other", "no nonce came back"
        return "connected", "nonce" if got == sent else ""
    return "timeout", "silence"


# A list of them, again and again


class History:
    """The answers to one probe. It compares whether a connection came about, not the words: a denial may be told
    by silence now and by a refusal the next moment."""

    def __init__(self, target: Target, now: float) -> None:
        self.target, self.since = target, now
        self.answer, self.detail, self.took = "", "", 0.0
        self.tries = self.connected = self.alike = 0

    def add(self, answer: str, detail: str, took: float, now: float) -> bool:
        """Keep an answer; whether it is another one than before."""
        said = answer != self.answer
        if not self.tries or verdict(answer) != verdict(self.answer):
            self.since, self.alike = now, 0
        self.answer, self.detail, self.took = answer, detail, took
        self.tries, self.alike = self.tries + 1, self.alike + 1
        self.connected += answer == "connected"
        return said

    def expected(self, now: float, stable: float) -> bool:
        """As it should be, and more than once, for half of the time after which anything is believed."""
        lasting = self.alike >= 2 and now - self.since >= stable / 2
        return lasting and verdict(self.answer) is self.target.reach

    def believed(self, now: float, stable: float, ready: float) -> bool:
        """As it should be, or unchanged for long enough by a pod that is `ready` from then on."""
        unchanged = now - self.since >= stable and now >= ready
        return self.tries > 0 and (self.expected(now, stable) or unchanged)

    def row(self, now: float, stable: float, ready: float = 0.0) -> list[Any]:
        settled = self.believed(now, stable, ready)
        found = [self.answer, round(self.took, 3), self.tries, self.connected, int(settled), self.detail]
        return found if self.detail else found[:-1]


@contextlib.contextmanager
def _small_stacks() -> Iterator[None]:
    """Threads that begin meanwhile take little memory; later ones, which may have more to do, are as before."""
    before = threading.stack_size(256 * 1024)
    try:
        yield
    finally:
        threading.stack_size(before)


def verdict(answer: str) -> bool | None:
    """Whether a connection came about; None where the answer says nothing of it."""
    return True if answer == "connected" else False if answer in NO else None


def test(work: dict[str, Any], stop: threading.Event) -> dict[str, Any]:
    """Rounds over all probes, until the answers are what they will be."""
    began = now = time.monotonic()
    end = began + work["seconds"]
    ready = min(began + work.get("ready", 0.0), end)
    kept = [History(target, began) for target in work["probes"]]
    ended, numbers = "limit", range(len(kept))
    with _small_stacks(), ThreadPoolExecutor(max_workers=max(1, min(MOST_THREADS, len(kept)))) as pool:
        while True:

            def once(number: int) -> None:
                start = time.monotonic()
                if start >= end or stop.is_set():
                    return
                answer, detail = attempt(kept[number].target, work["timeout"])
                after = time.monotonic()
                if kept[number].add(answer, detail, after - start, after):
                    _say(probe=number, answer=answer, detail=detail, at=round(after - began, 3))

            list(pool.map(once, numbers))
            now = time.monotonic()
            if stop.is_set():
                ended = "stopped"
            elif all(h.expected(now, work["stable"]) for h in kept):
                ended = "expected"
            elif all(h.believed(now, work["stable"], ready) for h in kept):
                ended = "unchanged"
            elif now < end:
                ready = min(ready + _paused(stop, min(PAUSE, end - now)), end)
                continue
            return summary("test", ended, began, [h.row(now, work["stable"], ready) for h in kept])


def _paused(stop: threading.Event, seconds: float) -> float:
    """Wait; by how much longer that took than it should: what programs the policies runs as late as we do."""
    began = time.monotonic()
    stop.wait(seconds)
    late = time.monotonic() - began - seconds
    return late if late > LATE else 0.0


# Connections that are kept


class Held:
    """One connection that is open.

    What breaks it is said by the kernel: keepalives and what we send must be acknowledged within SILENCE seconds. A
    server that is slow breaks nothing, and one that closes in an orderly way was not cut off.
    """

    def __init__(self, target: Target, timeout: float) -> None:
        self.target, self.state, self.answer, self.detail = target, "never", "", ""
        self.opened = self.ended = self.spoke = self.heard = time.monotonic()
        self.sock: socket.socket | None = None
        self.waiting, self.buffer = False, b""
        self.line = HELLO + os.urandom(12).hex().encode() + b"\n"
        self._open(timeout)

    def _open(self, timeout: float) -> None:
        target = self.target
        udp = target.protocol == "UDP"
        if target.protocol == "SCTP" or (udp and not target.nonce and target.check != "dns"):
            self.answer, self.detail = "unsupported", f"nothing can be said of a held {target.protocol} flow"
            return
        self.answer, self.detail = attempt(target, timeout)
        if self.answer != "connected":
            return
        try:
            sock = _opened(target, timeout, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM, 0)
            if target.check == "tls" and not udp:
                sock = _tls(target).wrap_socket(sock, server_hostname=target.host)
        except OSError as error:
            self.answer, self.detail = named(error)
            return
        if not udp:
            keep_alive(sock)
        sock.setblocking(False)
        self.sock, self.state, self.answer, self.detail = sock, "open", "", ""
        self.opened = self.ended = self.heard = time.monotonic()

    def look(self, now: float) -> bool:
        """Read what came, send the next harmless thing; whether the connection ended just now."""
        if self.sock is None or self.state != "open":
            return False
        alive = now - self.quiet(now)
        try:
            self._take(now)
            if self.state == "open" and not self.waiting and now - self.spoke >= 1.0:
                self._speak(now)
            if self.target.protocol == "UDP" and now - self.heard > SILENCE:
                self.state, self.answer = "broke", "timeout"
        except OSError as error:
            self.state = "broke"
            self.answer, self.detail = named(error)
        if self.state == "open":
            return False
        self.ended = alive if self.answer == "timeout" else now
        self.sock.close()
        return True

    def _take(self, now: float) -> None:
        assert self.sock is not None
        try:
            part = self.sock.recv(MOST_ANSWER)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        if not part:
            self.state, self.answer, self.detail = "closed", "closed", "the server closed it"
            return
        self.heard = now
        self.buffer = (self.buffer + part)[-MOST_ANSWER:]
        if self.target.protocol == "UDP" or (b"\r\n\r\n" if self._http() else b"\n") in self.buffer:
            self.waiting, self.buffer = False, b""

    def _http(self) -> bool:
        return self.target.check == "http" and not self.target.nonce

    def _speak(self, now: float) -> None:
        assert self.sock is not None
        self.spoke = now
        if self.target.nonce:
            self.sock.send(self.line)
        elif self._http():
            self.sock.send(HTTP % (self.target.host.encode(), b"keep-alive"))
        elif self.target.protocol == "UDP":
            self.sock.send(_query(os.urandom(2)))
        else:
            return  # the kernel's keepalives speak
        self.waiting = self.target.protocol == "TCP"

    def row(self, now: float) -> list[Any]:
        end = now if self.state == "open" else self.ended
        lasted = round(end - self.opened, 1)
        found = [self.state, self.answer, lasted, round(now - end, 1), round(self.quiet(now), 1), self.detail]
        return found if self.detail else found[:-1]

    def quiet(self, now: float) -> float:
        """Seconds since the peer gave a sign: what it sent, or its kernel's last acknowledgement."""
        found = now - self.heard
        if self.sock is not None and self.state == "open" and self.target.protocol == "TCP":
            with contextlib.suppress(AttributeError, OSError, struct.error):
                facts = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_ACK + 4)
                found = min(found, struct.unpack_from("=I", facts, LAST_ACK)[0] / 1000)
        return found


def keep_alive(sock: socket.socket) -> None:
    """The kernel asks the peer each second, and gives up after SILENCE seconds without an acknowledgement."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {
        "TCP_KEEPIDLE": 1,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": SILENCE - 1,
        "TCP_USER_TIMEOUT": SILENCE * 1000,
    }
    for name, value in wanted.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def hold(work: dict[str, Any], stop: threading.Event) -> dict[str, Any]:
    """Open every connection, keep them in use and tell every TOLD seconds, until the end or SIGTERM."""
    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=max(1, min(MOST_THREADS, len(work["probes"])))) as pool:
        kept = list(pool.map(lambda target: Held(target, work["timeout"]), work["probes"]))
    told = float("-inf")
    while True:
        now = time.monotonic()
        news = [held.look(now) for held in kept]
        live = any(held.state == "open" for held in kept)
        over = now - began >= work["seconds"]
        ended = "stopped" if stop.is_set() else "over" if not live else "limit" if over else "running"
        done = summary("hold", ended, began, [held.row(now) for held in kept])
        if ended != "running":
            return done
        if any(news) or now - told >= TOLD:
            told = now
            print(json.dumps(done, separators=(",", ":")), flush=True)
        stop.wait(TICK)


# Our own listener


def listen(port: int, seconds: float, stop: threading.Event) -> None:
    """Give lines that begin with HELLO back to whoever sends them, TCP and UDP, and nothing else to anyone."""
    end = time.monotonic() + seconds if seconds else float("inf")
    with selectors.DefaultSelector() as chosen:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            chosen.register(_bound(port, kind), selectors.EVENT_READ, kind)
        _say(listening=port)
        while time.monotonic() < end and not stop.is_set():
            for key, _ in chosen.select(TICK):
                sock: Any = key.fileobj
                if key.data == socket.SOCK_DGRAM:
                    _echo_datagram(sock)
                elif key.data == socket.SOCK_STREAM:
                    _accept(sock, chosen)
                else:
                    _echo_line(sock, chosen)
        for key in list(chosen.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]


def _bound(port: int, kind: int) -> socket.socket:
    """On all addresses of both families, where the kernel has IPv6."""
    for family, everywhere in ((socket.AF_INET6, "::"), (socket.AF_INET, "")):
        sock = None
        try:
            sock = socket.socket(family, kind)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((everywhere, port))
        except OSError:
            if sock is not None:
                sock.close()
            if family == socket.AF_INET:
                raise
            continue
        if kind == socket.SOCK_STREAM:
            sock.listen(MOST_CLIENTS)
        sock.setblocking(False)
        return sock
    raise AssertionError("unreachable")


def _accept(sock: socket.socket, chosen: selectors.BaseSelector) -> None:
    try:
        client, _ = sock.accept()
    except OSError:
        return
    if len(chosen.get_map()) >= MOST_CLIENTS:
        client.close()
        return
    keep_alive(client)  # who has gone does not keep a place
    client.setblocking(False)
    chosen.register(client, selectors.EVENT_READ, None)


def _echo_datagram(sock: socket.socket) -> None:
    try:
        data, sender = sock.recvfrom(MOST_LINE)
        if data.startswith(HELLO):
            sock.sendto(data, sender)
    except OSError:
        return


def _echo_line(sock: socket.socket, chosen: selectors.BaseSelector) -> None:
    try:
        data = sock.recv(MOST_LINE)
        if data.startswith(HELLO):
            sock.send(data)
            return
    except BlockingIOError:
        return
    except OSError:
        pass
    chosen.unregister(sock)
    sock.close()


if __name__ == "__main__":
    sys.exit(main())
