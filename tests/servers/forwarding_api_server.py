"""An API server over http that knows a Service, its pods, and forwards connections to them, as websockets, to ports of this machine."""

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# RFC 6455, section 1.3.
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KINDS = [
    {"name": "services", "kind": "Service", "namespaced": True, "verbs": ["get", "list"], "singularName": ""},
    {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get", "list"], "singularName": ""},
]


class ForwardingApiServer(ThreadingHTTPServer):
    """`pods` are names with the port that each leads to, or None for one that is not there; `refused` is a status for all."""

    daemon_threads = True

    def __init__(self, pods, token="anns-token"):
        super().__init__(("127.0.0.1", 0), Answer)
        self.pods, self.token, self.refused, self.forwarded = pods, token, None, []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def kubeconfig(self, path, user=None):
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": self.token} if user is None else user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(json.dumps(config))
        return str(path)

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""


def pod(name):
    return {
        "metadata": {"name": name, "namespace": "netpol-canary", "labels": {"app": "pages"}},
        "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Nothing on standard error."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        space = "/api/v1/namespaces/netpol-canary"
        answers = {
            "/version": {"gitVersion": "v1.34.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "resources": KINDS, "groupVersion": "v1"},
            f"{space}/services/netpol-canary": {
                "spec": {"selector": {"app": "pages"}, "ports": [{"port": 80, "targetPort": "http"}]}
            },
            f"{space}/pods": {"items": [pod(name) for name in self.server.pods], "metadata": {}},
        }
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._json(401, {"message": "Unauthorized"})
        elif path.endswith("/portforward"):
            self._forward(path.split("/")[-2])
        elif path in answers:
            self._json(200, answers[path])
        else:
            self._json(404, {"message": f"{path} not found", "reason": "NotFound"})

    def _json(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _forward(self, name):
        port = self.server.pods.get(name)
        if self.server.refused or port is None:
            status = self.server.refused or 404
            self._json(
                status, {"message": f"{name} is not for you" if status == 403 else f'pods "{name}" not found'}
            )
            return
        assert self.headers["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io" and "ports=8080" in self.path
        self.server.forwarded.append(name)  # before whoever asked hears of it
        key = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + MAGIC).encode()).digest()
        self.send_response(101)
        for header, value in {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": base64.b64encode(key).decode(),
            "Sec-WebSocket-Protocol": "v4.channel.k8s.io",
        }.items():
            self.send_header(header, value)
        self.end_headers()
        self.close_connection = True
        for channel in (0, 1):
            self._send(bytes([channel]) + struct.pack("<H", 8080))
        with contextlib.suppress(OSError):
            self._bridge(port)

    def _bridge(self, port):
        try:
            end = socket.create_connection(("127.0.0.1", port))
        except OSError:
            self._send(b"\x01nobody listens there")
            return
        with end:
            threading.Thread(target=self._back, args=(end,), daemon=True).start()
            while message := self._message():
                end.sendall(message[1:])

    def _back(self, end):
        with contextlib.suppress(OSError):
            while part := end.recv(65536):
                self._send(b"\x00" + part)
            self.connection.sendall(b"\x88\x00")

    def _send(self, payload):
        size = len(payload)
        head = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
        if size > 0xFFFF:
            head = b"\x7f" + struct.pack(">Q", size)
        self.connection.sendall(b"\x82" + head + payload)

    def _message(self):
        """What a client sent, whole and unmasked; empty at its end."""
        head = self.rfile.read(2)
        if len(head) < 2 or head[0] & 0x0F == 8:
            return b""
        size = head[1] & 0x7F
        if size >= 126:
            size = struct.unpack(">H" if size == 126 else ">Q", self.rfile.read(2 if size == 126 else 8))[0]
        mask, payload = self.rfile.read(4), self.rfile.read(size)
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
