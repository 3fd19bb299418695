"""A way to the API server that ends who takes it: after so many writes the process is killed, before or after the last."""

import http.client
import http.server
import json
import signal
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from patience import ENOUGH

WRITES = ("POST", "PUT", "DELETE", "PATCH")
LEFT_OUT = ("/leases", "/events", "reviews", "dryRun=All")  # no step ends with them


class Way:
    """A reverse proxy on loopback for one process; `begin` starts that with the kubeconfig of this way."""

    def __init__(self, plane, folder, at, after):
        self.at, self.after, self.writes = at, after, []
        self.child, self.killed = None, 0.0
        config = json.loads(Path(plane.kubeconfig).read_text())
        self._server, self._token = plane.server, config["users"][0]["user"]["token"]
        self._lock = threading.Lock()
        way = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                way.pass_on(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

            def log_message(self, *args):
                """Nothing: the test reads `writes`."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self.http.server_port}"
        cluster = {"name": "test", "cluster": {"server": address}}
        users = [{"name": "me", "user": {"token": self._token}}]
        contexts = [{"name": "test", "context": {"cluster": "test", "user": "me"}}]
        body = {
            **config,
            "clusters": [cluster],
            "users": users,
            "contexts": contexts,
            "current-context": "test",
        }
        self.kubeconfig = str(Path(folder) / "way.kubeconfig")
        Path(self.kubeconfig).write_text(json.dumps(body))

    def pass_on(self, request):
        """One call, counted where it is a write that matters."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        counted = request.command in WRITES and not any(part in request.path for part in LEFT_OUT)
        last = False
        if counted:
            with self._lock:
                self.writes.append((time.time(), request.command, request.path))
                last = len(self.writes) == self.at
        if last and not self.after:
            self.kill()
        if self.killed and self.at:
            request.close_connection = True
            return
        answer = self._asked(request, body)
        if last:
            self.kill()
        if answer is None or self.killed:
            request.close_connection = True
            return
        status, headers, text = answer
        request.send_response(status)
        for name in ("Content-Type", "Retry-After"):
            if headers.get(name):
                request.send_header(name, headers[name])
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def _asked(self, request, body):
        target = urlsplit(self._server)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        upstream = http.client.HTTPSConnection(target.hostname, target.port, timeout=ENOUGH, context=context)
        try:
            kept = ("Authorization", "Content-Type", "Accept")
            headers = {k: request.headers[k] for k in kept if request.headers.get(k)}
            upstream.request(request.command, request.path, body or None, headers)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except OSError:
            return None
        finally:
            upstream.close()

    def kill(self):
        """At once, and for good."""
        self.killed = self.killed or time.time()
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)

    def close(self):
        self.kill()
        if self.child is not None:
            self.child.wait(ENOUGH)
        self.http.shutdown()
        self.http.server_close()
