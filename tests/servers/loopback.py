"""Servers on loopback that end with who asked for them, and the kubeconfig that leads to one."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from patience import ENOUGH


class Quiet:
    """Of requests nothing is said."""

    def log_message(self, *args):
        """Nothing."""


class Answering(Quiet, BaseHTTPRequestHandler):
    """`given` is what was posted; that is answered as if it were asked for."""

    given = ""

    def do_POST(self):
        self.given = self.posted()
        self.do_GET()

    def posted(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def whole(self, status, body, **headers):
        """The answer; bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.head(status, **{"Content-Length": len(data), **headers})
        self.wfile.write(data)

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


@contextmanager
def serving(handler, kind=ThreadingHTTPServer, tls=None, **attributes):
    """A server with these attributes; its `url` is https with an SSLContext, `over` is set once it is to end."""
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads, server.block_on_close, server.over = True, False, threading.Event()
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    vars(server).update(attributes)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(ENOUGH)


def endpoints(issuer):
    """The document of an OpenID provider."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
    }


def kubeconfig(path, url, **user):
    """A file that leads to the server, with these credentials."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": url}}],
        "users": [{"name": "x", "user": user}],
    }
    path.write_text(json.dumps(config))
    return str(path)
