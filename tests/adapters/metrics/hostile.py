"""A server that answers well, badly, slowly or without end, as a Prometheus, a JSON API and an API server."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml
from patience import ENOUGH

NOW = 1_767_603_600  # 2026-01-05 09:00 UTC
HUGE = 100 * 1024 * 1024
DRIPPING = 600  # seconds that a slow answer takes, far beyond every deadline here


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
    "web": {"message": "no such table"},
    "kubernetes": {"kind": "Status", "status": "Failure", "code": 400, "message": "bad selector"},
}
VALUES = {"prometheus": prometheus, "web": plain, "kubernetes": pods}
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


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Says nothing."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0]
        if self.server.dialect == "kubernetes" and path in DISCOVERY:
            self.whole(200, DISCOVERY[path])
            return
        self.server.asked += 1
        self.close_connection = True
        with suppress(OSError):  # of a client that has had enough
            getattr(self, self.server.mood)()

    def whole(self, status, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.head(status, **{"Content-Length": len(data), **headers})
        self.wfile.write(data)

    def head(self, status, **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

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

    def redirect(self):
        self.whole(302, b"", Location="http://127.0.0.1:1/elsewhere")

    def huge(self):
        self.head(200)
        for _ in range(HUGE // 65536):
            self.wfile.write(b"[" * 65536)

    def huge_and_told(self):
        self.head(200, Content_Length=HUGE)
        for _ in range(HUGE // 65536):
            self.wfile.write(b" " * 65536)


@contextmanager
def serving(dialect, mood):
    """The address of a server in that mood."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.dialect, server.mood, server.asked, server.over = dialect, mood, 0, threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(ENOUGH)


def kubeconfig(path, url):
    """A file that leads to the server."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": url}}],
        "users": [{"name": "x", "user": {"token": "hunter2"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)
