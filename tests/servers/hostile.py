"""A server that answers well, badly, slowly or without end, to whoever asks: as a Prometheus, a JSON API, an API server, or none."""

import gzip
import io
import json
import time
from contextlib import contextmanager, suppress
from functools import cache

import loopback

NOW = 1_767_603_600  # 2026-01-05 09:00 UTC
HUGE = 100 * 1024 * 1024
DRIPPING = 600  # seconds that a slow answer takes, far beyond every deadline here


@cache
def bomb():
    """Made in pieces: whoever asks for it first measures memory."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as pieces:
        for _ in range(100):
            pieces.write(b" " * (HUGE // 100))
    return packed.getvalue()


def prometheus(value):
    result = [] if value is None else [{"metric": {"namespace": "pay"}, "value": [NOW, value]}]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def plain(value):
    return {"rows": [] if value is None else [{"namespace": "pay", "value": value}]}


def pods(value):
    """A page of pods; an API server has no NaN, so there the pod has no Ready condition at all."""
    conditions = [] if value == "NaN" else [{"type": "Ready", "status": "True"}]
    pod = {"metadata": {"name": "a", "namespace": "pay"}, "status": {"conditions": conditions}}
    items = [] if value is None else [pod]
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}


ERRORS = {
    "prometheus": {"status": "error", "errorType": "bad_data", "error": "parse error at char 5"},
    "json": {"message": "no such table"},
    "kubernetes": {"kind": "Status", "status": "Failure", "code": 400, "message": "bad selector"},
}
VALUES = {"prometheus": prometheus, "json": plain, "kubernetes": pods}
DISCOVERY = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "pods", "singularName": "pod", "kind": "Pod", "namespaced": True, "verbs": ["list"]}
        ],
    },
}


class Handler(loopback.Answering):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        path = self.path.split("?")[0]
        if path in self.server.good:
            self.whole(200, self.server.good[path])
            return
        self.server.asked += 1
        self.close_connection = True
        with suppress(OSError):  # of a client that has had enough
            getattr(self, self.server.mood)()

    def answer(self, value):
        return VALUES[self.server.dialect](value)

    def values(self):
        self.whole(200, self.answer("0.5"))

    def chunked(self):
        data = json.dumps(self.answer("0.5")).encode()
        self.head(200, Transfer_Encoding="chunked")
        for part in (data[:7], data[7:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def nan(self):
        self.whole(200, self.answer("NaN"))

    def nothing(self):
        self.whole(200, self.answer(None))

    def error_body(self):
        self.whole(400, ERRORS[self.server.dialect])

    def unauthorized(self):
        self.whole(401, b"<html>who are you?</html>")

    def busy(self):
        self.whole(429, b"busy", Retry_After=3600)

    def busy_once(self):
        if self.server.asked > 1:
            self.values()
        else:
            self.whole(429, b"busy", Retry_After=0)

    def broken(self):
        self.whole(500, b"oops")

    def half(self):
        data = json.dumps(self.answer("0.5")).encode()
        self.head(200, Content_Length=len(data))
        self.wfile.write(data[: len(data) // 2])

    def drip(self):
        self.head(200, Content_Length=1000)
        self.slowly(b" ")

    def drip_head(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.slowly(b"x")

    def slowly(self, byte):
        end = time.monotonic() + DRIPPING
        while time.monotonic() < end and not self.server.over.wait(0.05):
            self.wfile.write(byte)

    def silence(self):
        self.server.over.wait(DRIPPING)

    def drip_chunks(self):
        self.head(200, Transfer_Encoding="chunked")
        self.slowly(b"1;x=y\r\n \r\n")

    def endless_chunk_line(self):
        self.head(200, Transfer_Encoding="chunked")
        self.without_end(b"1;" + b"x" * 65536)

    def endless_trailers(self):
        self.head(200, Transfer_Encoding="chunked")
        self.wfile.write(b"2\r\n{}\r\n0\r\n")
        self.without_end(b"X-A: " + b"x" * 60000 + b"\r\n")

    def endless_continue(self):
        self.without_end(b"HTTP/1.1 100 Continue\r\nX-A: " + b"x" * 60000 + b"\r\n\r\n")

    def endless_line_of_the_head(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
        self.without_end(b"x" * 65536)

    def endless_heads(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.without_end(b"X-A: " + b"x" * 60000 + b"\r\n")

    def huge_cookies(self):
        cookie = ("a=b; expires=" + " " * 60000 + "1;").encode()
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\n" + b"".join(b"Set-Cookie: " + cookie + b"\r\n" for _ in range(16))
        )
        self.wfile.write(b"Content-Length: 4\r\n\r\noops")

    def huge(self):
        self.head(200)
        self.without_end(b"[" * 65536)

    def huge_and_told(self):
        self.head(200, Content_Length=HUGE)
        self.without_end(b" " * 65536)

    def without_end(self, part):
        for _ in range(HUGE // len(part)):
            self.wfile.write(part)

    def bomb(self):
        self.whole(200, bomb(), Content_Encoding="gzip")

    def bomb_in_another_dress(self):
        self.whole(200, bomb(), Content_Encoding="x, DEFLATE")

    def redirect(self):
        self.whole(302, b"", Location="http://127.0.0.1:1/elsewhere")

    def redirect_to_metadata(self):
        self.whole(307, b"", Location="http://169.254.169.254/latest/meta-data/")

    def redirect_to_other_scheme(self):
        self.whole(302, b"", Location="file:///etc/passwd")

    def redirect_to_nowhere(self):
        self.whole(302, b"", Location="http://[")

    def redirect_without_end(self):
        self.whole(307, b"", Location=self.path)

    def redirect_with_a_huge_body(self):
        self.head(302, Location=self.path)
        self.without_end(b"x" * 65536)

    def redirect_with_a_bomb(self):
        self.whole(302, bomb(), Content_Encoding="gzip", Location=self.path)

    def not_json(self):
        self.whole(200, b"<html>")

    def empty(self):
        self.whole(200, b"")

    def invalid_utf8(self):
        self.whole(200, b'{"status": "\xff\xfe"}')

    def in_utf16(self):
        self.whole(200, '{"status": "success"}'.encode("utf-16"))

    def deep(self):
        self.whole(200, b"[" * 100_000)

    def deep_but_whole(self):
        self.whole(
            400, b'{"message": %s%s, "error": %s%s}' % (b"[" * 900, b"]" * 900, b"[" * 900, b"]" * 900)
        )

    def many_values(self):
        self.whole(200, b"[" + b"[]," * 1_600_000 + b"[]]")

    def long_number(self):
        self.whole(200, b"1" * 100_000)

    def cut_chunk(self):
        self.head(200, Transfer_Encoding="chunked")
        self.wfile.write(b"64\r\n{")

    def odd_chunk(self):
        self.head(200, Transfer_Encoding="chunked")
        self.wfile.write(b"-1\r\n{}\r\n0\r\n\r\n")

    def two_lengths(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}")

    def no_http(self):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")

    def closed(self):
        """Says nothing, and goes."""

    def echo(self):
        """Everything that was sent, in every place where a message may take it from."""
        given = " ".join(f"{k}: {v}" for k, v in self.headers.items()) + self.given
        said = {"error": given, "message": given, "detail": given, "status": given}
        self.whole(400, said, **{"X-Echo": given.replace("\n", " ")})

    def echo_in_the_first_line(self):
        self.wfile.write(f"{self.headers.get('Authorization')} {self.given}\r\n\r\n".encode())

    def echo_in_a_redirect(self):
        self.whole(302, b"", Location=f"http://{self.headers.get('Authorization')}{self.given}/")

    def nonsense_to_wait(self):
        self.whole(429, {}, Retry_After=self.server.wait)


@contextmanager
def serving(dialect, mood, wait="", good=None):
    """The address of a server in that mood; `good(url)` gives the answers by path that are as they should be."""
    asked = {"dialect": dialect, "mood": mood, "wait": wait, "asked": 0}
    with loopback.serving(Handler, **asked) as server:
        server.good = good(server.url) if good else DISCOVERY if dialect == "kubernetes" else {}
        yield server.url
